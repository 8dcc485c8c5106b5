"""What a process does that runs one fit, whoever started it: train, keep what is printed, say how it ended."""

import contextlib
import errno
import traceback
from bdb import BdbQuit
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.execution.retiring import at_work
from orchestrator.task import Fit, Report, Task


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a fit ended; failed: by an error of the task's code, which is data; disk_full: by nobody's."""

    kind: Literal["returned", "failed", "disk_full"]
    message: str = ""


MAKE_ROOM = "nothing is lost: make room, then give the same command again"


def run_fit(task: Task, fit: Fit, report: Report, *, keep_output: bool = True) -> Ending:
    """Run a fit to its end; what it prints is kept in its folder, or is left to go where the process's own goes.

    Raises what leaves the process in an unknown state (another one should try again), and BdbQuit: that is not an
    error of the task's, somebody has left the debugger.
    """
    try:
        with at_work(), _output_to(fit.directory / "output.txt") if keep_output else contextlib.nullcontext():
            task.fit(fit, report)
    except (MemoryError, BdbQuit):
        raise
    except Exception as error:
        if "out of memory" in str(error).lower() or "CUDA" in str(error):
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # not the configuration's fault
            return Ending(kind="disk_full", message=f"{error.filename or fit.directory}: {error.strerror}")
        (fit.directory / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        return Ending(kind="failed", message=_one_line(error))
    return Ending(kind="returned")


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Append what the task prints to a file of its fit."""
    with path.open("a", encoding="utf-8") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        yield


def _one_line(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} ({Path(frame.filename).name}:{frame.lineno}; all of it in error.txt)"
