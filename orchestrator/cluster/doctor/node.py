"""What the job found on its node, judged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.cluster.doctor.finding import Finding, error, ok, one_line, warning
from orchestrator.cluster.doctor.here import room, token_mode
from orchestrator.cluster.doctor.test_job import FOLDER_NOT_SEEN, PYTHON_NOT_FOUND, PYTHON_TOO_OLD, Answer
from orchestrator.cluster.profile import ClusterProfile

NETWORK_DISKS = ("nfs", "lustre", "beegfs", "gpfs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "panfs", "pvfs2", "9p")
LEAST_LIMIT = 4096  # of open files and of processes
_MIB = 1024 * 1024


def judged(answer: Answer, profile: ClusterProfile, runs: Path, here: dict[str, str | None]) -> Iterator[Finding]:
    """Give the findings of the job; `here` are the packages' versions on the submitting machine."""
    if answer.facts is None:
        yield _no_answer(answer, profile, runs)
        return
    facts = answer.facts
    node = facts["node"] or facts["host"]
    yield ok("job", f"{answer.job} ran on {node} after {answer.queued_s:.1f} s in the queue")
    yield from _run_folder(answer, facts, runs)
    yield from _python(answer, facts, here)
    yield from _temp(facts["temp"], profile)
    yield from _limits(facts)
    yield from _gpus(facts, profile)
    if answer.reached:
        yield ok("ports", f"a free port of {node} is reached from here")
    else:
        way_out = "only matters if a firewall is between nodes, too: ask the site whether jobs may talk to each other"
        yield warning("ports", f"port {facts['port']} of {', '.join(facts['addresses'])} is not reached", way_out)


def _no_answer(answer: Answer, profile: ClusterProfile, runs: Path) -> Finding:
    if answer.code == FOLDER_NOT_SEEN:
        return error(
            "run folder",
            f"{answer.node} does not see {runs}",
            "put runs on a disk that all nodes share: --runs DIR or ORCHESTRATE_RUNS",
        )
    if answer.code in PYTHON_NOT_FOUND:
        found = f"{answer.node} cannot start it: {one_line(answer.said or answer.why)}"
        return error("Python", found, "set python to one that the nodes see, or load its module in setup")
    if answer.code == PYTHON_TOO_OLD:
        return error(
            "Python",
            f"{profile.python} is older than 3.11 on {answer.node}",
            "set python to a newer one, or load its module in setup",
        )
    if answer.waited:
        way_out = "the checks on a node were left out; wait longer with --wait SECONDS, or choose a less busy partition"
        return warning("job", answer.why, way_out)
    return error("job", answer.why, "correct what it says; `scontrol show job` tells more")


def _run_folder(answer: Answer, facts: dict[str, Any], runs: Path) -> Iterator[Finding]:
    if answer.lag_s is None or answer.skew_s is None:
        found = f"{answer.node} did not see a file that was renamed into {runs} from here"
        yield error("run folder", found, "put runs on another shared disk: --runs DIR or ORCHESTRATE_RUNS")
        return
    yield ok("run folder", f"renamed files are seen both ways, {answer.lag_s:.1f} s there and back")
    if abs(answer.skew_s) - answer.lag_s / 2 > 5:
        way_out = "ask the site to set its clocks (chrony, ntpd): beats of living jobs would look old"
        yield warning("clocks", f"the node's is {answer.skew_s:+.1f} s from the one here", way_out)
    else:
        yield ok("clocks", f"node and this machine agree within {abs(answer.skew_s) + answer.lag_s / 2:.1f} s")
    if facts["lock_error"]:
        way_out = "put runs on a disk with locks (NFS: mounted without nolock; Lustre: with flock)"
        yield error("locks", f"{runs} cannot be locked on the node ({facts['lock_error']})", way_out)
    elif not answer.lock_seen:
        way_out = (
            "never start two drivers of one run: they would not see each other (NFS: local_lock, Lustre: localflock)"
        )
        yield warning("locks", f"a lock that the node holds in {runs} is not seen here", way_out)
    else:
        yield ok("locks", "a lock that the node holds is seen here")


def _python(answer: Answer, facts: dict[str, Any], here: dict[str, str | None]) -> Iterator[Finding]:
    there = facts["packages"]
    yield token_mode("on the node", there["ray"])
    if there["orchestrate"] is None or not facts["package_found"]:
        way_out = "install it there, or set python to the environment on the shared disk that has it"
        yield error("Python", f"{facts['executable']} on the node has no orchestrate", way_out)
    differing = [
        f"{name} {there[name] or 'none'} ({here[name] or 'none'} here)" for name in here if here[name] != there[name]
    ]
    if differing:
        way_out = "install the same on both sides: jobs are handed over as Python objects"
        yield warning("packages", f"differ on the node: {', '.join(differing)}", way_out)
    else:
        yield ok("packages", f"Python {facts['python']} and {len(here)} packages are the same on the node")
    if answer.said.strip():
        yield warning(
            "setup", f"said on the node: {one_line(answer.said)[:300]}", "mend the lines of setup if they failed"
        )


def _temp(temp: dict[str, Any], profile: ClusterProfile) -> Iterator[Finding]:
    where = profile.temp
    if not temp["exists"]:
        yield error("temp", f"{where} is not there on the node", "set temp to a folder on each node's own disk")
        return
    if temp["error"]:
        yield error("temp", f"{where} cannot be written ({temp['error']})", "set temp to a folder that is yours")
        return
    if temp["mode"] != 0o700:
        way_out = "set temp to a disk that keeps the rights of files: the token of a run lies there"
        yield error("temp", f"a private folder in {where} gets the rights {temp['mode']:o}", way_out)
    if temp["socket_error"]:
        yield error(
            "temp", f"Ray's sockets cannot be made below {where} ({temp['socket_error']})", "set a shorter temp"
        )
    if temp["kind"].startswith(NETWORK_DISKS):
        yield warning(
            "temp", f"{where} is a network disk ({temp['kind']})", "set temp to the node's own disk: it is faster"
        )
    yield from room("temp", where, temp, temp["kind"], least_mib=1024)


def _limits(facts: dict[str, Any]) -> Iterator[Finding]:
    free = facts["shm"]["free"]
    if free is None or free < 200 * _MIB:
        found = f"/dev/shm has {(free or 0) // _MIB} MiB free"
        yield error("shared memory", found, "ask the site to enlarge it: Ray needs 100 MiB a job, data loaders more")
    else:
        yield ok("shared memory", f"/dev/shm has {free / 1024**3:,.1f} GiB free")
    for about, (soft, _hard), command in (
        ("open files", facts["files"], "ulimit -n"),
        ("processes", facts["processes"], "ulimit -u"),
    ):
        if 0 <= soft < LEAST_LIMIT:
            way_out = (
                f"raise it with `{command}` before you submit, where the site hands limits on to jobs; else ask it to"
            )
            yield warning(about, f"at most {soft} on the node; Ray wants {LEAST_LIMIT}", way_out)
        else:
            yield ok(about, f"at most {soft if soft >= 0 else 'unlimited'}")


def _gpus(facts: dict[str, Any], profile: ClusterProfile) -> Iterator[Finding]:
    if not profile.gpus:
        return
    if not facts["gpus"]:
        way_out = "ask the site: SLURM set no SLURM_JOB_GPUS for a job that has one"
        yield error("GPU", "the job was given none, although it asked for one", way_out)
        return
    if facts["visible_gpus"] is None:
        way_out = "ask the site: without CUDA_VISIBLE_DEVICES jobs on one node would share GPUs"
        yield error("GPU", "SLURM set no CUDA_VISIBLE_DEVICES", way_out)
    elif facts["driver"] is None:
        way_out = (
            "expected where GPUs are not NVIDIA's; else the node is broken: exclude it with sbatch: [--exclude=NODE]"
        )
        yield warning("GPU", f"number {facts['gpus']} was given, but no driver is visible (nvidia-smi)", way_out)
    else:
        yield ok("GPU", f"number {facts['gpus']} was given; driver, GPU, memory: {one_line(facts['driver'])}")
