"""Who drives a run: a lock that the kernel gives back when its holder dies, however it dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from orchestrator.errors import RunFailed
from orchestrator.run_folder import RunFolder


@contextlib.contextmanager
def hold(folder: RunFolder) -> Iterator[None]:
    """Be the run's one driver for the length of the block. Raises RunFailed where another process is."""
    file = os.open(folder.driver_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFailed(
                f"{folder.path}: another driver runs this; `orchestrate status` shows it, end it or wait for it"
            ) from None
        yield
    finally:
        os.close(file)


def is_held(folder: RunFolder) -> bool:
    """Return whether a driver of this run lives."""
    if not folder.driver_lock.exists():
        return False
    file = os.open(folder.driver_lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
