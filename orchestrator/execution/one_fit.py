"""What a process does that runs one fit, whoever started it: train, keep what is printed, say how it ended."""

import contextlib
import errno
import traceback
from bdb import BdbQuit
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.errors import printable, text_of
from orchestrator.execution.retiring import at_work
from orchestrator.history.failures import Failure
from orchestrator.task import Fit, Report, Task


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a fit ended.

    failed: by an error of the task's code, which is data; disk_full: by nobody's; lost: in a way that leaves the
    process in an unknown state, so that another one should try again.
    """

    kind: Literal["returned", "failed", "disk_full", "lost"]
    message: str = ""
    failure: Failure | None = None  # how it was lost


MAKE_ROOM = "nothing is lost: make room, then give the same command again"
LONGEST_LINE = 500  # characters of an error in journal and table
LONGEST_TRACEBACK = 100_000  # characters of error.txt


def run_fit(task: Task, fit: Fit, report: Report, *, keep_output: bool = True) -> Ending:
    """Run a fit to its end; what it prints is kept in its folder, or is left to go where the process's own goes.

    A fit whose folder is gone in the end, however it ended, has failed: its checkpoints are gone, too.
    Raises BdbQuit: that is not an error of the task's, somebody has left the debugger.
    """
    try:
        with at_work(), _output_to(fit.directory / "output.txt") if keep_output else contextlib.nullcontext():
            task.fit(fit, report)
    except BdbQuit:
        raise
    except Exception as error:
        said = text_of(error)
        if failure := _lost_by(error, said):
            message = _one_line(error, said, kept=_keep_traceback(fit.directory))
            return Ending(kind="lost", message=message, failure=failure)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # not the configuration's fault
            return Ending(kind="disk_full", message=f"{error.filename or fit.directory}: {error.strerror}")
        return Ending(kind="failed", message=_one_line(error, said, kept=_keep_traceback(fit.directory)))
    if not fit.directory.is_dir():
        fit.directory.mkdir(mode=0o700, parents=True)  # for those who write here how it ended
        return Ending(kind="failed", message=f"it deleted its own folder, {fit.directory}, and all checkpoints in it")
    return Ending(kind="returned")


def _lost_by(error: Exception, said: str) -> Failure | None:
    """Return which error a process does not survive; None: one of the task's code. Knows torch by its words only."""
    if "CUDA out of memory" in said or "OutOfMemoryError" in {kind.__name__ for kind in type(error).__mro__}:
        return Failure.GPU_MEMORY
    if isinstance(error, MemoryError) or "can't allocate memory" in said:
        return Failure.HOST_MEMORY
    return Failure.WORKER if "CUDA" in said else None


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Append what the task prints to a file of its fit."""
    with (
        path.open("a", encoding="utf-8", errors="backslashreplace") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        yield


def _keep_traceback(directory: Path) -> bool:
    """Write the traceback of the error at hand into the fit's folder; return whether that could be done."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # the fit may have deleted it
        text = printable(traceback.format_exc(), most=LONGEST_TRACEBACK)
        (directory / "error.txt").write_text(text, encoding="utf-8")
    except OSError:
        return False
    return True


def _one_line(error: Exception, said: str, *, kept: bool) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    first = printable(next(iter(said.splitlines()), ""), most=LONGEST_LINE)
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    rest = "all of it in error.txt" if kept else "error.txt could not be written"
    return f"{printable(type(error).__name__, most=LONGEST_LINE)}: {first} ({place}; {rest})"
