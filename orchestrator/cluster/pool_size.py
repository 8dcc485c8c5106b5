"""The driver's watch over its run's jobs: a thread that beats, keeps a successor waiting, and refills the pool.

A successor is a driver job that SLURM starts when this one has ended, however it ended; so nobody needs to watch the
watcher, and nothing runs on a login node.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace

from orchestrator.cluster.driver_watch import watched
from orchestrator.cluster.profile import ClusterProfile
from orchestrator.cluster.queue import NotSubmitted, Queue
from orchestrator.cluster.run_files import Head, RunFiles, Worker
from orchestrator.cluster.slurm import Job, cancel_jobs
from orchestrator.errors import RunFailed

log = logging.getLogger(__name__)

ROUND_S = 4.0
IDLE_S = 30.0  # so long may a worker that is not needed any more stay
MOST_FRUITLESS = 3  # drivers in a row that came no step further
MOST_BARREN = 3  # workers that failed before they joined, while none has
MOST_ROUNDS_OFF = 6  # as a power of two: about four minutes
MOST_SILENT_S = 60.0  # of the loop that hands out fits; then the driver does not move any more (driver_watch.py)
MOST_REFUSED = 5  # submissions in a row that SLURM refused, while no worker is there


class PoolSize:
    """Keeps the jobs of one run as many as they should be, for as long as this driver lives."""

    def __init__(self, files: RunFiles, profile: ClusterProfile, incarnation: str, *, cpus_per_fit: int) -> None:
        self.problem: str | None = None  # why the run cannot go on, once that is known
        self._files, self._profile, self._queue = files, profile, Queue(files)
        self._per_worker = profile.fits_per_worker(cpus_per_fit)
        self._job = os.environ["SLURM_JOB_ID"]
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._living_before: set[str] = set()
        self._failed_before: set[str] | None = None  # the worker jobs of earlier drivers, perhaps of another profile
        self._failed: set[str] = set()  # the worker jobs of this driver that failed before they joined
        self._rounds_off = 0  # for so many rounds, no new workers
        self._refused = 0
        self._fits_left: Callable[[], int | None] = lambda: None
        self._silent_s: Callable[[], float | None] = lambda: None
        before, progress = files.head(), files.run.progress()
        fruitless = before.fruitless + 1 if before and before.progress == progress else 0
        self._head = Head(
            incarnation=incarnation, job=self._job, node=os.environ.get("SLURMD_NODENAME", ""), address=None,
            beat=0, threads=cpus_per_fit, progress=progress, fruitless=fruitless, error=before.error if before else "",
        )  # fmt: skip
        if fruitless >= MOST_FRUITLESS:
            self.problem = f"{fruitless} drivers in a row came no step further; the last said: {self._head.error}"
        files.write_head(self._head)

    def start(self) -> None:
        """Begin, with a successor first: whatever then happens to this driver, the run goes on."""
        threading.Thread(target=self._run, args=[watched()], name="pool_size", daemon=True).start()

    def publish(self, address: str, fits_left: Callable[[], int | None], silent_s: Callable[[], float | None]) -> None:
        """Tell the workers where to join, and ask from now on how much work there is, and whether its loop turns."""
        self._fits_left, self._silent_s = fits_left, silent_s
        self._write(address=address)

    def close(self) -> None:
        """Tell the workers that there are no more fits."""
        self._fits_left = self._silent_s = lambda: None
        self._write(address=None, closed=True)

    def say(self, error: str) -> None:
        """Leave word of what ended this driver, for its successor and for people."""
        self._write(error=error)

    def end(self) -> None:
        """Watch no more."""
        self._ended.set()

    def _run(self, move: Callable[[], None]) -> None:
        while not self._ended.is_set():
            if (self._silent_s() or 0.0) < MOST_SILENT_S:
                move()
            try:
                self._round()
            except (RunFailed, OSError) as error:
                # SLURM does not answer, which says nothing about the jobs; or the run folder's disk is full or away.
                log.warning("%s", error)
            except Exception:  # whatever one round meets, the watch must go on: nobody else beats and refills
                log.exception("a round of the watch failed")
            self._ended.wait(ROUND_S)

    def _round(self) -> None:
        now = self._files.head()
        if now is not None and now.incarnation != self._head.incarnation:
            os._exit(1)  # another driver took over while this one was cut off: not a byte more from here
        if self._files.is_cancelled:
            return self._interrupt()
        self._write(beat=self._head.beat + 1)
        drivers, workers = self._queue.jobs()
        self._keep_a_successor(drivers)
        if self._head.closed or self._profile.mode == "jobs":
            return None
        known = {worker.job: worker for worker in self._files.workers()}
        self._note_failures(workers, known)
        if problem := self._barren(known):
            self.problem = problem
            return self._interrupt()
        if self._rounds_off > 0:
            self._rounds_off -= 1
            return None
        living = [job for job in workers if job.is_alive and not _retiring(job, known)]
        return self._refill(living, {job.id for job in workers}, known)

    def _keep_a_successor(self, drivers: list[Job]) -> None:
        if not any(job.is_alive and job.id != self._job for job in drivers) and not self._files.is_over:
            self._queue.submit(drivers=1)

    def _refill(self, living: list[Job], listed: set[str], known: dict[str, Worker]) -> None:
        vanished = len(self._living_before - listed)  # for one round: a line that squeue misses means nothing
        self._living_before = {job.id for job in living}
        short = self._wanted(len(living)) - len(living) - vanished
        if short < 0:
            cancel_jobs(self._not_needed(living, known)[:-short])
        elif short > 0:
            self._submit_workers(short, any_there=bool(living))

    def _submit_workers(self, count: int, *, any_there: bool) -> None:
        try:
            self._queue.submit(workers=count)
        except NotSubmitted as error:
            self._refused += 1
            if self._refused < MOST_REFUSED or any_there:
                raise
            self.problem = f"{error}; that was refused {self._refused} times, and no worker is left"
            self._interrupt()
        else:
            self._refused = 0

    def _wanted(self, living: int) -> int:
        left = self._fits_left()
        if left is None:  # between two searches: whoever is there may stay, nobody new is needed
            return self._profile.workers.within(living)
        return self._profile.workers_for(left, fits_per_worker=self._per_worker)

    def _not_needed(self, living: list[Job], known: dict[str, Worker]) -> list[str]:
        pending = [job.id for job in living if job.is_pending]
        idle = [
            job.id for job in living
            if (worker := known.get(job.id)) and worker.idle_since and worker.seen - worker.idle_since > IDLE_S
        ]  # fmt: skip
        return pending + idle

    def _note_failures(self, workers: list[Job], known: dict[str, Worker]) -> None:
        """Remember who failed before it joined, and wait the longer the more there are.

        A broken node is free again at once, and would be given one new worker after the other.
        """
        joined = {worker.job for worker in known.values() if worker.joined}
        every = {job.id for job in workers if job.state in ("FAILED", "OUT_OF_MEMORY", "BOOT_FAIL")} - joined
        if self._failed_before is None:
            self._failed_before = every
        if every - self._failed_before - self._failed:
            self._failed |= every - self._failed_before
            self._rounds_off = 2 ** min(len(self._failed), MOST_ROUNDS_OFF)

    def _barren(self, known: dict[str, Worker]) -> str | None:
        """Return why it makes no sense to submit further workers."""
        if len(self._failed) < MOST_BARREN or any(worker.joined for worker in known.values()):
            return None
        return (
            f"{len(self._failed)} worker jobs failed before they joined: see {self._files.logs}/{max(self._failed)}, "
            "or `orchestrate logs RUN --worker 1`; then `orchestrate doctor` says what is wrong with the nodes"
        )

    def _write(self, **changes: object) -> None:
        with self._lock:
            self._head = replace(self._head, **changes)  # type: ignore[arg-type]  # names and types are Head's own
            self._files.write_head(self._head)

    def _interrupt(self) -> None:
        self._ended.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _retiring(job: Job, known: dict[str, Worker]) -> bool:
    return job.id in known and bool(known[job.id].retiring)
