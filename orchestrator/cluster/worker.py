"""A worker job: its node's GPUs and CPUs as a part of the pool of whichever driver is there, until its time is over.

It may start before there is a driver, and outlives drivers: it waits for the next one. It ends its own Ray by its own
processes, and nothing else's.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from orchestrator.cluster.profile import ClusterProfile, seconds_of
from orchestrator.cluster.run_files import Head, RunFiles, Worker
from orchestrator.cluster.slurm import address_towards
from orchestrator.execution.private_ray import end_processes_of, private_folder
from orchestrator.execution.retiring import FOLDER, JOB, retire, working
from orchestrator.history.failures import Failure
from orchestrator.history.run_folder import RunFolder

POLL_S = 1.0
BEAT_S = 5.0
EARLY_S = 60.0  # by so much SLURM may warn of the end of the time before the profile's clock does
WAIT_S = 600.0  # for a driver: longer would only burn the allocation; a driver that comes later submits new workers
UNREADABLE_S = 30.0  # a network disk that does not show head.json for less says nothing of the driver
_PR_SET_PDEATHSIG = 1


def serve_run(run: str) -> None:
    """Be one worker of a run until its time or the run is over."""
    files = RunFiles(RunFolder(Path(run)))
    profile = files.profile()
    hide_other_gpus()
    with private_folder(files.token.read_text(), parent=profile.temp) as temp:
        _WorkerJob(files, profile, temp).serve()


class _WorkerJob:
    """What the loop below knows."""

    def __init__(self, files: RunFiles, profile: ClusterProfile, temp: Path) -> None:
        self._files, self._profile, self._temp = files, profile, temp
        self._told_to_go = False
        signal.signal(signal.SIGUSR2, self._go)  # SLURM warns before the end of the time, some sites before preemption
        signal.signal(signal.SIGTERM, self._go)
        self._ends_at = time.monotonic() + seconds_of(profile.time) - profile.retire_before
        now = time.time()
        self._written = 0.0
        self._state = Worker(
            job=job_id(), node=os.environ.get("SLURMD_NODENAME", ""), gpus=len(allotted_gpus()), cpus=allotted_cpus(),
            started=now, seen=now,
        )  # fmt: skip
        self._write()

    def serve(self) -> None:
        waits_since = time.monotonic()
        refused: tuple[str, int] | None = None  # incarnation and beat of a head that could not be joined or was lost
        while not self._is_over and time.monotonic() - waits_since < WAIT_S:
            head = self._files.head()
            if head and head.closed:
                break
            if head and head.address and (head.incarnation, head.beat) != refused:
                self._belong_to(head)
                waits_since, refused = time.monotonic(), (head.incarnation, self._beat_of(head))
            self._beat()
            time.sleep(POLL_S / 2)
        self._write()

    def _belong_to(self, head: Head) -> None:
        """Serve one driver until it, this worker's time, or the run is over."""
        assert head.address is not None
        with self._joined(head.address, head.threads) as ray:
            read_at = time.monotonic()
            while ray.poll() is None and not self._is_over:
                now = self._files.head()
                if now is not None:
                    read_at = time.monotonic()
                    if now.incarnation != head.incarnation or now.closed:
                        return
                elif time.monotonic() - read_at > UNREADABLE_S:
                    return
                if not self._state.joined and (self._temp / "ray" / "ray_current_cluster").exists():
                    self._state = replace(self._state, joined=True)
                    self._write()
                self._beat()
                time.sleep(POLL_S)
            if ray.poll() is None and not self._files.is_over:
                self._retire()

    def _retire(self) -> None:
        """Let each fit come to its next report, for as long as there is time; the pool sees the node go."""
        why = Failure.WALL_TIME if time.monotonic() >= self._ends_at - EARLY_S else Failure.PREEMPTED
        self._state = replace(self._state, retiring=why)
        self._write()
        retire(self._temp)
        deadline = self._ends_at + 0.8 * self._profile.retire_before
        if time.monotonic() < self._ends_at:  # told to go by a signal: SLURM says no more than that it will be soon
            deadline = time.monotonic() + 0.8 * self._profile.retire_before
        while working(self._temp) and time.monotonic() < deadline and not self._files.is_over:
            self._beat()
            time.sleep(POLL_S / 5)

    @contextlib.contextmanager
    def _joined(self, address: str, threads: int) -> Iterator[subprocess.Popen[bytes]]:
        own = address_towards(address.rpartition(":")[0])
        words = [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--address", address, "--block",
            "--node-ip-address", own, "--num-cpus", str(allotted_cpus()), "--num-gpus", str(len(allotted_gpus())),
            "--object-store-memory", "100000000", "--include-log-monitor", "false", "--disable-usage-stats",
            "--temp-dir", str(self._temp / "ray"), "--log-style", "record", "--node-name", self._state.job,
        ]  # fmt: skip
        environment = {**os.environ, FOLDER: str(self._temp), JOB: self._state.job, "OMP_NUM_THREADS": str(threads)}
        with (self._temp / "ray-start.txt").open("ab") as log:
            ray = subprocess.Popen(
                words, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_prepare_child
            )
        try:
            yield ray
        finally:
            end_processes_of(self._temp)
            ray.wait()
            for left in (*self._temp.glob("[0-9]*"), self._temp / "ray" / "ray_current_cluster"):
                left.unlink(missing_ok=True)

    @property
    def _is_over(self) -> bool:
        return self._told_to_go or time.monotonic() >= self._ends_at or self._files.is_over

    def _beat_of(self, head: Head) -> int:
        now = self._files.head()
        return now.beat if now and now.incarnation == head.incarnation else head.beat

    def _go(self, _number: int, _frame: object) -> None:
        self._told_to_go = True

    def _beat(self) -> None:
        if time.monotonic() - self._written >= BEAT_S:
            self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        now = time.time()
        idle_since = None if working(self._temp) else self._state.idle_since or now
        self._state = replace(self._state, seen=now, idle_since=idle_since)
        with contextlib.suppress(OSError):  # the disk is full or away for a while, and the fits go on all the same
            self._files.write_worker(self._state)


def _prepare_child() -> None:
    """In the child: SLURM signals every process of a job, and `ray start` must not outlive this one."""
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def job_id() -> str:
    """Return this job's number as squeue writes it."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array else os.environ["SLURM_JOB_ID"]


def allotted_gpus() -> list[str]:
    """Return the GPUs that SLURM allotted to this job, exactly those; a job without any may see all of the node's."""
    return [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu] if _has_gpus() else []


def hide_other_gpus() -> None:
    """Let this process and its children see the allotted GPUs only, without any none of the node's."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(allotted_gpus())


def _has_gpus() -> bool:
    return bool(os.environ.get("SLURM_JOB_GPUS") or os.environ.get("SLURM_STEP_GPUS"))


def allotted_cpus() -> int:
    """Return how many CPUs SLURM allotted to this job's task."""
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or 1)
