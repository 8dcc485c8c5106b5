"""A folder for work that may be interrupted: whoever goes on with the same work finds it again."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecgcore.mistakes import Mistake


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
            raise Mistake(f"{target} is being written by another process; wait for it, or end it") from None
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
