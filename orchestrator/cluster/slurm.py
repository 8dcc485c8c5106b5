"""What is asked of SLURM's own commands: which jobs there are, what the site allows, and to end jobs.

sacct is never needed: what a job did is written down by the job itself, and squeue knows the living.
"""

import logging
import os
import pwd
import re
import socket
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.errors import RunFailed

log = logging.getLogger(__name__)

PATIENCE_S = 30  # a busy controller may take its time
_FOREIGN = re.compile(
    r"(SLURM|SLURMD|SBATCH|SRUN|SUBMITIT|RAY|TUNE|ORCHESTRATE_AT_WORK|CUDA_VISIBLE_DEVICES)(_.*)?|OMP_NUM_THREADS"
)
_LIVING = {
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "COMPLETING",
    "SUSPENDED",
    "STOPPED",
    "RESIZING",
    "REQUEUED",
    "SIGNALING",
}


@dataclass(frozen=True)
class Job:
    """One job, or one task of an array."""

    id: str
    name: str
    state: str
    reason: str
    node: str
    comment: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it runs or will run."""
        return self.state in _LIVING

    @property
    def is_pending(self) -> bool:
        """Whether it waits for its start."""
        return self.state in ("PENDING", "CONFIGURING")

    @property
    def number(self) -> int:
        """Its number, of a task the array's: who was submitted later has the larger one."""
        return int(self.id.partition("_")[0])

    def line(self) -> str:
        """Return it as people read it."""
        where = f" on {self.node}" if self.node else f" ({self.reason})" if self.reason not in ("", "None") else ""
        return f"job {self.id} {self.state.lower()}{where}"


def jobs_named(names: Iterable[str]) -> list[Job]:
    """Return this user's jobs of these names, as far as SLURM still knows them.

    Raises RunFailed where SLURM does not answer: that says nothing about the jobs.
    """
    # The format's separator cannot be in an id, a state or a node; the name, which may hold anything, comes last.
    listed = ask(
        "squeue", "--noheader", "--array", "--states=all", f"--user={_user()}",
        f"--name={','.join(names)}", "--format=%i|%T|%r|%N|%k|%j",
    )  # fmt: skip
    jobs = []
    for line in listed.splitlines():
        parts = line.split("|", 5)
        if len(parts) < 6:  # a notice among the lines, which is no job
            log.warning("squeue says: %s", line)
            continue
        id_, state, reason, node, comment, name = parts
        jobs.append(Job(id_, name, state, reason, node, comment))
    return jobs


def cancel(names: Iterable[str], *, only_pending: bool = False) -> None:
    """End this user's jobs of these names. Ending what has ended is no mistake."""
    for name in names:
        state = ("--state=PENDING",) if only_pending else ()
        ask("scancel", "--quiet", f"--user={_user()}", f"--name={name}", *state)


def cancel_jobs(ids: Iterable[str]) -> None:
    """End these jobs."""
    if words := list(ids):
        ask("scancel", "--quiet", *words)


def largest_array() -> int:
    """Return how many tasks one array may have: MaxArraySize caps the index, which starts at 0."""
    return int(settings().get("MaxArraySize", "1001"))  # SLURM's own default


def own_address() -> str:
    """Return the address at which the cluster's other nodes reach this one."""
    node = os.environ.get("SLURMD_NODENAME")
    name = (node and node_address(node)) or node or socket.gethostname()
    try:
        found_address = socket.gethostbyname(name)
        # Debian's /etc/hosts gives a machine's own name the address 127.0.1.1, at which nobody else reaches it.
        return address_towards(_controller()) if found_address.startswith("127.") else found_address
    except OSError as error:
        raise RunFailed(f"{name}: the address of this node is not known ({error})") from None


def _controller() -> str:
    """Return the name or address of the first controller: vm(127.0.0.1) and login1 are how SLURM tells it."""
    hosts = [host for name, host in settings().items() if name.startswith("SlurmctldHost")]
    found = re.match(r"([^\s(]+)(?:\(([^)]+)\))?", hosts[0]) if hosts else None
    return (found[2] or found[1]) if found else "127.0.0.1"


def settings() -> dict[str, str]:
    """Return the site's settings by name."""
    return dict(re.findall(r"^(\S+)\s*= ?(.*?)\s*$", ask("scontrol", "show", "config"), re.MULTILINE))


def told_of(line: str) -> dict[str, str]:
    """Return what a line of `scontrol show ... --oneliner` tells, by name; what is (null) is empty.

    The first of a name counts: what a site writes into a comment may look like one.
    """
    pairs = re.findall(r"(?:^|\s)(\w+)=(\S*)", line)
    return {name: "" if value == "(null)" else value for name, value in reversed(pairs)}


def node_address(node: str) -> str | None:
    """Return the address by which SLURM reaches a node; its name need not be known here."""
    return told_of(ask("scontrol", "show", "node", "--oneliner", node)).get("NodeAddr")


def address_towards(other: str) -> str:
    """Return this node's own address on the network on which it reaches another. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((other, 9))
        return str(probe.getsockname()[0])


def outside_any_job() -> dict[str, str]:
    """Return the environment without the job and the Ray in which this process may run: sbatch would hand them on."""
    return {key: value for key, value in os.environ.items() if key == "SLURM_CONF" or not _FOREIGN.fullmatch(key)}


def ask(*words: str) -> str:
    """Run one of SLURM's commands and return what it prints. Raises RunFailed with its own words."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except FileNotFoundError:
        raise RunFailed(
            f"{words[0]}: no such command: this machine has no SLURM; give the command on a login node"
        ) from None
    except subprocess.TimeoutExpired:
        raise RunFailed(f"{words[0]}: SLURM gave no answer in {PATIENCE_S} s; the same command later goes on") from None
    if done.returncode:
        raise RunFailed(f"{' '.join(_short(words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _short(words: Sequence[str]) -> Sequence[str]:
    return words if len(words) < 6 else words[:2]


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name
