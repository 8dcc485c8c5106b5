"""The signals that end a command as Ctrl-C does, each with its own exit code, and what other threads may ask of them.

Python runs what a signal calls in the main thread only, which may be in the middle of a library's C code for seconds.
That a signal has come is therefore known earlier, by a pipe that the kernel's own handler writes into.
"""

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QUIET_S = 10.0  # of signals in a row the first counts: who presses Ctrl-C twice would break off the cleaning up

_told: list[int] = []  # the signals that have come
_pipe: int | None = None  # where they come from
_last = -math.inf  # when one has raised KeyboardInterrupt


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """For the length of the block, let each signal of ENDING raise KeyboardInterrupt in it.

    One that whoever started us wants ignored, as nohup does SIGHUP, stays ignored.
    """
    global _pipe, _last
    _told.clear()
    _last = -math.inf
    mine, its = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    _pipe, fd_before = mine, signal.set_wakeup_fd(its, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _interrupt) for number in heard}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
        signal.set_wakeup_fd(fd_before)
        _pipe = None
        os.close(mine)
        os.close(its)


def hear() -> None:
    """Let those signals come that have waited: one process leaves them blocked to a fresh start of itself."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def is_command() -> bool:
    """Return whether this process is one command, and not a program of somebody's that calls us."""
    return _pipe is not None


def is_told_to_end() -> bool:
    """Return whether a signal has come that ends this command. Any thread may ask, outside of commands, too."""
    if _pipe is not None:
        with contextlib.suppress(OSError):  # nothing has come, or the command is just over
            _told.extend(number for number in os.read(_pipe, 1024) if number in ENDING)
    return bool(_told)


def remind() -> None:
    """Interrupt the main thread once more: libraries catch what a signal raises in them. Any thread may call."""
    global _last
    if _told:
        _last = -math.inf
        signal.pthread_kill(threading.main_thread().ident or 0, _told[0])


def exit_code() -> int:
    """Return the exit code of an interrupted command, as a shell says it: of the first signal, else of Ctrl-C."""
    return 128 + (_told[0] if _told else signal.SIGINT)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    global _last
    _told.append(number)
    now = time.monotonic()
    if now - _last >= QUIET_S:
        _last = now
        raise KeyboardInterrupt
