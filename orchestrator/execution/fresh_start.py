"""What a driver does whose Ray is lost: it becomes a fresh start of its own command, in the same process.

A process that has lost its Ray may hang in it, and Ray ends it after a minute. The journal remembers all; so what
another start after kill -9 does is what is wanted, without anybody having to give it. As on a cluster, where SLURM
starts the driver's successor, starts in a row that come no step further end the run.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from orchestrator.history.run_folder import RunFolder
from orchestrator.interrupts import ENDING

MOST = 3  # fresh starts without a step in between
_STARTED = "ORCHESTRATE_STARTED_AFRESH"  # how often since the last step, and how many steps there were: 2:417
_SHOW_CURSOR = b"\x1b[?25h"  # a live table hides it


def is_fresh_start() -> bool:
    """Return whether this process goes on with a command that it had begun itself."""
    return _STARTED in os.environ


def start_afresh(folder: RunFolder, why: str, *, environment: Mapping[str, str]) -> NoReturn:
    """Become a fresh start of this process's command, or end it where that has helped too seldom. Any thread may call.

    environment: the one this process was started with. Nothing of the lost Ray may run any more.
    """
    progress = folder.progress()
    times, _, progress_then = os.environ.get(_STARTED, "0:").partition(":")
    count = int(times) + 1 if progress_then == str(progress) else 1
    if count > MOST:
        say(
            f"{why}, {count} times in a row without a step in between; nothing is lost: end what else runs on this "
            "machine, then the same command goes on (`--executor in-process` needs no Ray, and runs one fit at a time)"
        )
        os._exit(1)
    _bury_children()
    say(f"{why}; starting a fresh one, nothing is lost")
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # the fresh start hears them when it can (interrupts.py)
    command = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, {**environment, _STARTED: f"{count}:{progress}"})


def _bury_children() -> None:
    """Take note of the end of all that this process started, which nobody does after it."""
    with contextlib.suppress(ChildProcessError):  # there is none left
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def say(text: str) -> None:
    """Write one line where errors go; other threads may hold Python's own files for ever."""
    with contextlib.suppress(OSError):
        os.write(2, (_SHOW_CURSOR if sys.stdout.isatty() else b"") + text.encode(errors="replace") + b"\n")
