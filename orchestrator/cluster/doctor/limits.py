"""The profile against what the site allows: partition, time, GPUs, nodes, array size, preemption, accounts."""

from collections.abc import Iterator

from orchestrator.cluster.doctor.finding import Finding, error, ok, warning
from orchestrator.cluster.doctor.site import Node, Partition, Site
from orchestrator.cluster.profile import ClusterProfile, seconds_of

_MEMORY_UNITS = {"M": 1, "G": 1024, "T": 1024 * 1024}


def limits(profile: ClusterProfile, site: Site) -> Iterator[Finding]:
    """Give what the site's own description already decides."""
    driver_partition = profile.driver.partition or profile.partition
    for role, name, time in (
        ("worker", profile.partition, profile.time),
        ("driver", driver_partition, profile.driver.time),
    ):
        if partition := site.partitions.get(name):
            yield from _partition(role, partition, seconds_of(time), time)
        else:
            known = ", ".join(site.partitions) or "none"
            way_out = f"set {'partition' if role == 'worker' else 'driver.partition'} in the profile to one of: {known}"
            yield error(f"{role} partition", f"{name} does not exist", way_out)
    if profile.partition in site.partitions:
        yield _worker_fits(profile, site.nodes_of(profile.partition))
        yield from _preemption(profile, site)
    yield _arrays(profile, site)
    yield from _accounting(profile, site)


def _partition(role: str, partition: Partition, wanted: int, time: str) -> Iterator[Finding]:
    about = f"{role} partition"
    if partition.state != "UP":
        yield warning(about, f"{partition.name} is {partition.state}", "jobs wait until the site opens it; ask there")
    if partition.max_seconds is not None and wanted > partition.max_seconds:
        key = "time" if role == "worker" else "driver.time"
        yield error(
            about,
            f"{partition.name} allows jobs of at most {partition.max_time}, the profile asks for {time}",
            f"lower {key}, which costs nothing but restarts, or choose another partition",
        )
    else:
        yield ok(about, f"{partition.name} is {partition.state}, time {time} of at most {partition.max_time.lower()}")


def _worker_fits(profile: ClusterProfile, nodes: list[Node]) -> Finding:
    """Whether a worker's GPUs, CPUs and memory are together on some node."""
    gpu_nodes = [node for node in nodes if _gpus(node, profile.gpu_type) >= profile.gpus]
    wanted = f"{profile.gpus} GPU{'s' * (profile.gpus != 1)} of type {profile.gpu_type or 'any'}"
    if profile.gpus and not gpu_nodes:
        there = sorted({f"{count} x {type_ or 'no type'}" for node in nodes for type_, count in node.gpus.items()})
        return error(
            "GPUs",
            f"no node of {profile.partition} has {wanted}",
            f"set gpus and gpu_type to what its nodes have ({', '.join(there) or 'no GPU at all'})",
        )
    memory = int(profile.memory[:-1]) * _MEMORY_UNITS[profile.memory[-1]]
    fitting = [node for node in gpu_nodes if node.cpus >= profile.cpus and node.memory_mb >= memory]
    if not fitting:
        largest = max(gpu_nodes, key=lambda node: (node.cpus, node.memory_mb), default=None)
        has = f"the largest has {largest.cpus} CPUs and {largest.memory_mb} MB" if largest else "it has no nodes"
        return error(
            "worker's size",
            f"no node of {profile.partition} has {profile.cpus} CPUs and {profile.memory} of memory for one worker",
            f"lower cpus or memory ({has})",
        )
    return ok(
        "worker's size",
        f"{wanted + ', ' if profile.gpus else ''}{profile.cpus} CPUs, {profile.memory}: on {len(fitting)} nodes",
    )


def _gpus(node: Node, type_: str | None) -> int:
    return node.gpus.get(type_, 0) if type_ else sum(node.gpus.values())


def _preemption(profile: ClusterProfile, site: Site) -> Iterator[Finding]:
    workers = site.partitions[profile.partition]
    driver = site.partitions.get(profile.driver.partition or profile.partition)
    if by := site.preempters_of(workers):
        told = "preempt_send_user_signal" in site.settings.get("SlurmctldParameters", "")
        notice = (
            f"told {workers.grace_seconds} s before"
            if told and workers.grace_seconds
            else f"ended without notice, {site.settings.get('KillWait', '30 sec')} after SIGTERM"
        )
        yield ok("preemption", f"workers may be preempted by {', '.join(by)}, {notice}; they are replaced")
    else:
        yield ok("preemption", f"jobs in {workers.name} are not preempted")
    if driver and (by := site.preempters_of(driver)):
        yield warning(
            "preemption",
            f"the driver would stand in {driver.name}, which {', '.join(by)} may preempt: the search pauses until its "
            "successor runs",
            "set driver.partition to one that is not preempted",
        )


def _arrays(profile: ClusterProfile, site: Site) -> Finding:
    """MaxArraySize caps the index of a task, which begins at 0."""
    largest = int(site.settings.get("MaxArraySize", "1001"))
    if largest < 1:
        return error("arrays", "the site allows no job arrays (MaxArraySize is 0)", "ask the site to allow them")
    arrays = -(-profile.workers.max // largest)
    return ok("arrays", f"MaxArraySize {largest}: {profile.workers.max} workers are {arrays} array{'s' * (arrays > 1)}")


def _accounting(profile: ClusterProfile, site: Site) -> Iterator[Finding]:
    if site.accounts is None:
        yield ok("accounting", "sacct is not there, and not needed")
        return
    yield ok("accounting", f"sacct is there, though not needed; your accounts: {', '.join(site.accounts) or 'none'}")
    enforced = "associations" in site.settings.get("AccountingStorageEnforce", "")
    if enforced and profile.account is not None and profile.account not in site.accounts:
        yield error(
            "account",
            f"{profile.account} is not yours",
            f"set account to one of: {', '.join(site.accounts) or 'none; ask the site for one'}",
        )
    most = site.accounts.get(profile.account or "")
    if most is not None and most < profile.workers.max + 2:
        yield warning(
            "submitted jobs",
            f"the account takes {most} jobs of yours at a time (MaxSubmitJobs); a driver, its successor and "
            f"{profile.workers.max} workers are {profile.workers.max + 2}",
            f"set workers.max to at most {max(most - 2, 1)}",
        )
