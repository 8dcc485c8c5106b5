"""How a worker job says to the fits that it runs that it must go: files in its node-local folder, both ways.

A fit that has reported, and so has its checkpoint journaled, goes no further on a worker that retires. It waits to be
killed: for the search that is a lost worker without a lost step.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

# Variables of a worker job's fits, absent on a machine that nobody takes away: the folder, and the job's number.
FOLDER, JOB = "ORCHESTRATE_AT_WORK", "ORCHESTRATE_WORKER_JOB"


def retire(folder: Path) -> None:
    """Ask the fits at work to stop after their next report."""
    (folder / "retiring").touch()


def working(folder: Path) -> list[int]:
    """Return the processes that are training a fit now."""
    pids = [int(path.name) for path in folder.glob("[0-9]*")]
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """Be seen to work for the length of the block."""
    if FOLDER not in os.environ:
        yield
        return
    mark = Path(os.environ[FOLDER]) / str(os.getpid())
    mark.touch()
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def park_if_retiring() -> None:
    """Wait for the end where this worker retires; else do nothing."""
    if FOLDER not in os.environ:
        return
    folder = Path(os.environ[FOLDER])
    if not (folder / "retiring").exists():
        return
    (folder / str(os.getpid())).unlink(missing_ok=True)
    while True:
        time.sleep(3600)
