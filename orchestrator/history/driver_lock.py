"""Who drives a run: a lock that the kernel gives back when its holder dies, however it dies.

A holder that is cut off (frozen, or on a node that the others lost) keeps its lock. Who knows that, takes over: lock
and journals are replaced by copies, and whatever the old holder still writes goes into files that nobody reads.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator

from orchestrator.atomic import sync_folder
from orchestrator.errors import RunFailed
from orchestrator.history.own_file import OwnFile
from orchestrator.history.run_folder import RunFolder


@contextlib.contextmanager
def hold(folder: RunFolder, *, take_over: bool = False) -> Iterator[None]:
    """Be the run's one driver for the length of the block. Raises RunFailed where another process is.

    take_over: another one can only be dead or cut off.
    """
    file = _locked(folder)
    if file is None and take_over:
        _cut_off(folder)
        file = _locked(folder)
    if file is None:
        raise RunFailed(
            f"{folder.path}: another driver runs this; `orchestrate status` shows it, end it or wait for it"
        )
    try:
        yield
    finally:
        file.close()


def _locked(folder: RunFolder) -> OwnFile | None:
    """Return the locked file, None where another has it; who only looks whether it is held has it for a moment."""
    file = OwnFile(folder.driver_lock)
    for _attempt in range(20):
        try:
            fcntl.flock(file.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return file
    file.close()
    return None


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


def _cut_off(folder: RunFolder) -> None:
    for path in (folder.driver_lock, *folder.all_journals()):
        beside = path.with_name(f".{path.name}.taken")
        beside.unlink(missing_ok=True)
        shutil.copy2(path, beside)
        os.replace(beside, path)
    sync_folder(folder.path)
