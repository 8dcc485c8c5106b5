"""A whole folder or none: written beside its place, synced, renamed; leftovers of killed writers are cleared.

And a folder for the work before, which an interrupted writer finds again.
"""

import fcntl
import glob
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def whole_folder(target: Path, *, marker: str, replace: bool = False) -> Iterator[Path]:
    """Give an empty folder to write to; it becomes `target` when the block ends, and nothing remains if it fails.

    With `replace`, an existing `target` goes only when the new one is whole, and only if it holds the file `marker`, so
    that no folder of another kind is ever removed. Raises ValueError otherwise.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target)
    _check_target(target, marker=marker, replace=replace)
    part, old = _beside(target, "part"), _beside(target, "old")
    part.mkdir()
    try:
        yield part
        _sync(part)
        if target.exists():
            target.rename(old)
        part.rename(target)
    except BaseException:  # an interrupt too must leave nothing half-written
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def kept_folder(target: Path, *, purpose: str) -> Iterator[Path]:
    """Give a private folder beside `target` for work that may be interrupted: the same `purpose` finds it again.

    Work for another purpose is cleared. It is removed when the block ends, and after a failure, so that nothing is left
    behind; an interrupt or a kill, of a process that works for it too, leaves it. Raises ValueError while another
    process works for the same target.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.with_name(f".{target.name}.unfinished")
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{target} is being written by another process; wait for it, or end it") from None
        said = folder / "purpose"
        if not said.is_file() or said.read_text(encoding="utf-8") != purpose:
            for path in folder.iterdir():
                if path.name != "lock":
                    path.unlink()
            said.write_text(purpose, encoding="utf-8")
        try:
            yield folder
        except ChildProcessError:  # somebody ended a process that worked here: as good as an interrupt
            raise
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _check_target(target: Path, *, marker: str, replace: bool) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / marker).is_file():
        raise ValueError(
            f"{target} must be free, or a folder with {marker} to be replaced, but is neither; choose another --to"
        )
    if not replace:
        raise ValueError(f"{target} is already there; --replace writes it anew, or choose another --to")


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{socket.gethostname()}.{os.getpid()}.{kind}")


def _clear_leftovers(target: Path) -> None:
    """Remove what killed writers of this machine left beside `target`; an old folder without a successor comes back."""
    pattern = f".{glob.escape(target.name)}.{glob.escape(socket.gethostname())}.*"
    for left in sorted(target.parent.glob(pattern)):
        _, pid, kind = left.name.rsplit(".", 2)
        if not pid.isdigit() or (psutil.pid_exists(int(pid)) and int(pid) != os.getpid()):
            continue
        if kind == "old" and not target.exists():
            left.rename(target)
        elif kind in ("old", "part"):
            shutil.rmtree(left, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
