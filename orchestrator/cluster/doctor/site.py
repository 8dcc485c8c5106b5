"""What SLURM says of itself: settings, partitions, nodes, accounts, and its verdict on a script that is not queued."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.cluster.slurm import PATIENCE_S, ask, outside_any_job, settings, told_of
from orchestrator.errors import RunFailed


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A partition; max_seconds None: no limit."""

    name: str
    state: str
    max_time: str
    max_seconds: int | None
    preempt_mode: str
    grace_seconds: int
    tier: int


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a node can be asked for. gpus: how many of each type, the type "" where the site names none."""

    name: str
    partitions: frozenset[str]
    cpus: int
    memory_mb: int
    gpus: dict[str, int]
    features: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A cluster as its controller describes it."""

    settings: dict[str, str]
    partitions: dict[str, Partition]
    nodes: list[Node]
    accounts: dict[str, int | None] | None = field(default=None)  # this user's, with MaxSubmitJobs; None: not known

    def nodes_of(self, partition: str) -> list[Node]:
        """Return the nodes of a partition."""
        return [node for node in self.nodes if partition in node.partitions]

    def preempters_of(self, partition: Partition) -> list[str]:
        """Return the partitions whose jobs may end this one's; ["a better qos"] where the site goes by qos."""
        how = self.settings.get("PreemptType", "")
        if how.endswith("/none") or not how or partition.preempt_mode == "OFF":
            return []
        if how.endswith("/qos"):
            return ["a better qos"]
        return sorted(other.name for other in self.partitions.values() if other.tier > partition.tier)


def examined_site() -> Site:
    """Ask the controller. Raises RunFailed where it does not answer."""
    told = settings()
    return Site(
        settings=told,
        partitions={
            found.name: found
            for line in ask("scontrol", "show", "partition", "--oneliner").splitlines()
            if (found := _partition(line))
        },
        nodes=[
            _node(line) for line in ask("scontrol", "show", "node", "--oneliner").splitlines() if "NodeName=" in line
        ],
        accounts=_accounts() if told.get("AccountingStorageType", "").endswith("/slurmdbd") else None,
    )


def gpus_in(gres: str) -> dict[str, int]:
    """Return how many GPUs of each type SLURM's text names: gpu:a100:4(S:0-1),gpu:v100:2 or gpu:4."""
    found: dict[str, int] = {}
    for type_, count in re.findall(r"\bgpu:(?:([^:,()]+):)?(\d+)", gres):
        found[type_] = found.get(type_, 0) + int(count)
    return found


def verdict(script: Path) -> tuple[bool, str]:
    """Return whether the controller would take a script, and what it says; nothing is queued."""
    words = ["sbatch", "--test-only", str(script)]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=outside_any_job()
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"sbatch: SLURM gave no answer in {PATIENCE_S} s") from None
    said = [line.removeprefix("sbatch: ") for line in f"{done.stdout}{done.stderr}".splitlines() if line.strip()]
    return done.returncode == 0, said[-1].removeprefix("error: ") if said else "nothing was said"


def _partition(line: str) -> Partition | None:
    told = told_of(line)
    if "PartitionName" not in told:
        return None
    return Partition(
        name=told["PartitionName"],
        state=told.get("State", ""),
        max_time=told.get("MaxTime", ""),
        max_seconds=_seconds(told.get("MaxTime", "")),
        preempt_mode=told.get("PreemptMode", ""),
        grace_seconds=_count(told.get("GraceTime", "")) or 0,
        tier=_count(told.get("PriorityTier", "")) or 0,
    )


def _node(line: str) -> Node:
    told = told_of(line)
    return Node(
        name=told["NodeName"],
        partitions=frozenset(told.get("Partitions", "").split(",")),
        cpus=_count(told.get("CPUTot", "")) or 0,
        memory_mb=_count(told.get("RealMemory", "")) or 0,
        gpus=gpus_in(told.get("Gres", "")),
        features=frozenset(filter(None, told.get("AvailableFeatures", "").split(","))),
    )


def _accounts() -> dict[str, int | None] | None:
    user = ask("id", "-un").strip()
    try:
        lines = ask("sacctmgr", "-nP", "show", "assoc", f"user={user}", "format=account,maxsubmit").splitlines()
    except RunFailed:
        return None
    return {account: _count(most) for account, most in (line.split("|")[:2] for line in lines if "|" in line)}


def _seconds(time: str) -> int | None:
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", time)
    if found is None:
        return None  # UNLIMITED
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() else None
