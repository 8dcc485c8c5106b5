"""A real SLURM on this one machine, without systemd: started in a fraction of a second, several side by side.

In a shell:

    eval "$(python -m tests.slurm.cluster start)"      # exports SLURM_CONF
    python -m tests.slurm.cluster stop                 # the cluster of $SLURM_CONF

Everything of a cluster lies below one folder: settings, keys, sockets, logs, state. Its ports are chosen free. What it
ends are the processes that were started with its own SLURM_CONF, and no others.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.slurm.accounting import start_accounting
from tests.slurm.networks import Networks, claimed_number
from tests.slurm.settings import Addresses, Shape, free_ports, write_settings

DAEMONS = ("slurmd", "slurmstepd", "slurmctld", "slurmdbd", "mariadbd", "munged")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running cluster. `base` holds all its files, `environment` is what a process needs to be its client."""

    base: Path
    shape: Shape
    networks: Networks | None = None
    as_whom: tuple[str, ...] = ()  # words before each command of a client: those that make it another user's

    @property
    def environment(self) -> dict[str, str]:
        """The variable that makes every SLURM command talk to this cluster."""
        return {"SLURM_CONF": str(self.base / "slurm.conf")}

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' names."""
        return self.shape.node_names

    def run(self, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a client of this cluster; a command that fails raises nothing."""
        return subprocess.run(
            [*self.as_whom, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, **self.environment, **environment},
        )

    def ask(self, *words: object) -> str:
        """Return what a command says. Raises RuntimeError where it fails."""
        done = self.run(*words)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout.strip()

    def sbatch(self, *words: object) -> str:
        """Queue a job and return its number; `--wrap=...` or a script comes last."""
        return self.ask("sbatch", "--parsable", "--output=/dev/null", *words)

    def squeue(self) -> dict[str, str]:
        """Return the state of each job that has not ended; an array's tasks one by one."""
        lines = self.ask("squeue", "-h", "-r", "-o", "%i %T").splitlines()
        return dict(line.split() for line in lines)

    def state_of(self, job: str) -> str:
        """Return a job's state, also of one that ended within the last five minutes."""
        lines = self.ask("squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%T").splitlines()
        return lines[0] if lines else "GONE"

    def node_of(self, job: str) -> str:
        """Return the node on which a job runs or ran."""
        return self.ask("squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%N").splitlines()[0]

    def scancel(self, *words: object) -> None:
        """Cancel jobs, or send them a signal."""
        self.ask("scancel", *words)

    def node_pid(self, node: str) -> int | None:
        """Return the process number of a node's slurmd, None where it does not run."""
        with contextlib.suppress(OSError, ValueError, psutil.Error):  # no file, an empty one, or that of a dead slurmd
            process = psutil.Process(int((self.base / "run" / f"slurmd-{node}.pid").read_text()))
            if process.name() == "slurmd" and _is_alive(process.pid):  # a dead one's number may be another's by now
                return process.pid
        return None

    def start_node(self, node: str, *, hiding: Path | None = None, mounts: Sequence[str] = ()) -> None:
        """Start a node's slurmd, and wait until it listens: SLURM may take a node for up that is not yet back.

        For what this node alone sees (needs root): `hiding`, a folder that is empty there; `mounts`, shell lines.
        """
        number = self.nodes.index(node) + 1
        inside = ["ip", "netns", "exec", self.networks.namespace(number)] if self.networks else []
        steps = ['hostname "$1"'] if self.networks else []
        steps += ['mount -t tmpfs none "$2"'] if hiding else []
        steps += mounts
        kinds = [*(["--uts"] if self.networks else []), *(["--mount"] if hiding or mounts else [])]
        apart = ["unshare", *kinds] if kinds else []
        script = " && ".join([*steps, 'exec slurmd -N "$1"'])
        _checked([*inside, *apart, "sh", "-c", script, "sh", node, str(hiding or "")], self)
        wait_until(lambda: self.node_pid(node) is not None, f"{node}'s slurmd")  # writes its number when it listens

    def stop_node(self, node: str) -> None:
        """End a node's slurmd in good order; its jobs' processes live on."""
        if pid := self.node_pid(node):
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not _is_alive(pid), f"the end of {node}'s slurmd")

    def kill_node(self, node: str) -> None:
        """The node's sudden death: slurmd, its steps and all processes of its jobs are killed at once."""
        if pid := self.node_pid(node):
            os.kill(pid, signal.SIGKILL)

        def none_is_left() -> bool:
            """Look again until there is none: one that is about to be killed may just have started another."""
            jobs = [
                process for process in self.job_processes() if environment_of(process).get("SLURMD_NODENAME") == node
            ]
            _kill([*(step for process in jobs for step in _steps_of(process)), *jobs])
            return not jobs

        wait_until(none_is_left, f"the end of the processes on {node}")

    def job_processes(self) -> list[psutil.Process]:
        """Return the processes of all jobs."""
        return [process for process in self._processes() if "SLURM_JOB_ID" in environment_of(process)]

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """As long as the block lasts, jobs are queued and none begins."""
        partitions = ("low", "short", "high")
        for partition in partitions:
            self.ask("scontrol", "update", f"partitionname={partition}", "state=down")
        try:
            yield
        finally:
            for partition in partitions:
                self.ask("scontrol", "update", f"partitionname={partition}", "state=up")

    def wait_for_nodes(self) -> None:
        """Wait until every node can take a job."""
        up = ["sinfo", "-h", "-N", "-p", "low", "-t", "idle,mixed,allocated", "-o", "%N"]
        wait_until(
            lambda: set(self.run(*up).stdout.split()) == set(self.nodes), f"the nodes; logs are in {self.base}/log"
        )

    def clear(self) -> None:
        """Have all nodes up, cancel every job and kill what is left of them: as after the start."""
        for node in self.nodes:  # first: the job of a dead node ends when its node is back, or is given up after 26 s
            if self.node_pid(node) is None:
                self.start_node(node)
        with contextlib.suppress(TimeoutError):
            wait_until(self._no_job_after_scancel, "the end of the jobs", seconds=10)
        _kill(self.job_processes())
        wait_until(self._no_job_after_scancel, "the end of the jobs")
        self.wait_for_nodes()

    def _no_job_after_scancel(self) -> bool:
        """Cancel again and again: a driver that is cancelled may just have submitted its successor."""
        if jobs := self.squeue():
            self.run("scancel", "--quiet", *jobs)
        return not jobs

    def stop(self) -> None:
        """End the jobs, the daemons and the networks, and remove the folder."""
        with contextlib.suppress(subprocess.TimeoutExpired, RuntimeError, TimeoutError):
            if jobs := self.squeue():
                self.run("scancel", "--quiet", *jobs)
                wait_until(lambda: not self.squeue(), "the end of the jobs", seconds=8)
        _kill(self.job_processes())
        for name in DAEMONS:
            _end([process for process in self._processes() if is_named(process, name)])
        if self.networks:
            self.networks.down()
        shutil.rmtree(self.base)

    def _processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            if environment_of(process).get("SLURM_CONF") == self.environment["SLURM_CONF"]:
                yield process


def start_cluster(shape: Shape, *, base: Path | None = None) -> Cluster:
    """Start a cluster below `base` (default: a new temporary folder); returns when all its nodes are idle."""
    base = base or Path(tempfile.mkdtemp(prefix="slurm-test-"))
    base.chmod(0o755)  # other users' clients read the settings and talk to munge
    controller_port, accounting_port, database_port, *node_ports = free_ports(shape.nodes + 3)
    networks = Networks(claimed_number(), shape.nodes) if shape.own_networks else None
    addresses = Addresses(
        controller=networks.controller if networks else "127.0.0.1",
        nodes=networks.addresses if networks else ("127.0.0.1",) * shape.nodes,
        controller_port=controller_port,
        node_ports=tuple(node_ports),
        accounting_port=accounting_port,
        database_port=database_port,
    )
    cluster = Cluster(base=base, shape=shape, networks=networks)
    write_settings(base, shape, addresses)
    (base / "shape.json").write_text(json.dumps([asdict(shape), networks.number if networks else None]))
    try:
        if networks:
            networks.up()
        _start_munge(cluster)
        if shape.accounting:
            start_accounting(base, port=accounting_port, database_port=database_port, environment=cluster.environment)
        _checked(["slurmctld", "-c"], cluster)
        for node in cluster.nodes:
            cluster.start_node(node)
        cluster.wait_for_nodes()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def existing_cluster(base: Path) -> Cluster:
    """Return the cluster that another process started below `base`."""
    shape, number = json.loads((base / "shape.json").read_text())
    networks = None if number is None else Networks(number, shape["nodes"])
    return Cluster(base=base, shape=Shape(**{**shape, "lines": tuple(shape["lines"])}), networks=networks)


@contextlib.contextmanager
def running_cluster(shape: Shape) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts. First ends those whose own block was killed."""
    for owner in Path(tempfile.gettempdir()).glob("slurm-test-*/owner"):
        with contextlib.suppress(OSError, ValueError):
            if owner.stat().st_uid == os.getuid() and not _is_alive(int(owner.read_text())):
                existing_cluster(owner.parent).stop()
    cluster = start_cluster(shape)
    (cluster.base / "owner").write_text(str(os.getpid()))
    try:
        yield cluster
    finally:
        cluster.stop()


def wait_until(holds: Callable[[], bool], what: str, *, seconds: float = 90) -> None:
    """Wait until something holds. Raises TimeoutError that names what was waited for.

    A busy machine may take ten times as long as an idle one; only who waits in vain waits for so long.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


def _start_munge(cluster: Cluster) -> None:
    base = cluster.base
    words = [
        f"--key-file={base}/munge/munge.key",
        f"--socket={base}/run/munge.socket",
        f"--seed-file={base}/munge/seed",
    ]
    words += [f"--pid-file={base}/run/munged.pid", f"--log-file={base}/log/munged.log", "--num-threads=4", "--force"]
    _checked(["munged", *words], cluster)
    wait_until((base / "run" / "munge.socket").exists, "munge")


def _checked(words: list[str], cluster: Cluster) -> None:
    """Start a daemon, which leaves its starter; what it says goes to a file, since it would hold a pipe open."""
    with (cluster.base / "log" / "start.log").open("ab") as log:
        environment = {**os.environ, **cluster.environment, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        done = subprocess.run(words, stdout=log, stderr=log, timeout=60, check=False, env=environment)
    if done.returncode:
        said = (cluster.base / "log" / "start.log").read_text(errors="replace")
        raise RuntimeError(f"{' '.join(words)} failed:\n{said}")


def is_named(process: psutil.Process, name: str) -> bool:
    """Whether a process has a name that begins so; one that has ended has none."""
    try:
        return process.name().startswith(name)
    except psutil.Error:
        return False


def _steps_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [parent for parent in process.parents() if is_named(parent, "slurmstepd")]
    except psutil.Error:
        return []


def environment_of(process: psutil.Process) -> dict[str, str]:
    """A process's environment; that of one which ends, or just becomes another program, is empty."""
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _is_alive(pid: int) -> bool:
    """Whether a process lives; nobody may be there to bury a dead one, which then still has its number."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(daemons: list[psutil.Process]) -> None:
    """Ask daemons to end, and kill those that do not within ten seconds."""
    for process in daemons:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not any(_is_alive(process.pid) for process in daemons), "the daemons' end", seconds=10)
    _kill(daemons)
    with contextlib.suppress(TimeoutError):  # whoever still writes keeps the cluster's folder from being removed
        wait_until(lambda: not any(_is_alive(process.pid) for process in daemons), "the daemons' death", seconds=10)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def main() -> None:
    """`start` and `stop` in a shell."""
    parser = argparse.ArgumentParser(prog="python -m tests.slurm.cluster", description="A real SLURM on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="print what to export")
    for name in ("nodes", "cpus", "gpus", "memory-mb", "max-array-size", "grace-seconds"):
        start.add_argument(f"--{name}", type=int, default=getattr(Shape(), name.replace("-", "_")))
    start.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
    start.add_argument("--own-networks", action="store_true", help="a network for each node")
    start.add_argument("--line", action="append", default=[], dest="lines", help="a further line of slurm.conf")
    commands.add_parser("stop", help="the cluster of $SLURM_CONF")
    given = vars(parser.parse_args())
    if given.pop("command") == "stop":
        existing_cluster(Path(os.environ["SLURM_CONF"]).parent).stop()
    else:
        cluster = start_cluster(Shape(**{**given, "lines": tuple(given["lines"])}))
        print(f"export SLURM_CONF={cluster.environment['SLURM_CONF']}")


if __name__ == "__main__":
    main()
