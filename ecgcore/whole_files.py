"""A whole file, or a whole folder, or none: written beside its place, synced, renamed; leftovers are cleared."""

import glob
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from ecgcore.mistakes import Mistake


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; `path` appears when the block ends, nothing if it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")  # what a killed writer left is overwritten by the next
    try:
        yield beside
        _sync(beside)
        os.replace(beside, path)
    except BaseException:  # SystemExit too must leave nothing half-written
        beside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


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
        _sync_folder(part)
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


def _check_target(target: Path, *, marker: str, replace: bool) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / marker).is_file():
        raise Mistake(
            f"{target} must be free, or a folder with {marker} to be replaced, but is neither; choose another --to"
        )
    if not replace:
        raise Mistake(f"{target} is already there; --replace writes it anew, or choose another --to")


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


def _sync_folder(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
