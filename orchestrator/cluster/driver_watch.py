"""A process beside the driver that ends it when it hangs: its successor starts only when its job has ended.

The driver says through a pipe that it moves; neither a disk nor the network, in which it may hang, has a part in that.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

SILENCE_S = 600.0
SETTING = "ORCHESTRATE_DRIVER_SILENCE_S"  # another number of seconds; 0: never
LOOK_S = 5.0
_DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)  # SLURM signals every process of a job


def watched() -> Callable[[], None]:
    """Have this process watched from now on; return what it must call again and again to show that it moves."""
    seconds = float(os.environ.get(SETTING, SILENCE_S))
    if not seconds:
        return lambda: None
    watch = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cluster.driver_watch", str(os.getpid()), str(seconds)],
        stdin=subprocess.PIPE, preexec_fn=_be_deaf,
    )  # fmt: skip
    assert watch.stdin is not None
    pipe = watch.stdin.fileno()
    os.set_blocking(pipe, False)

    def move() -> None:
        assert watch.stdin is not None  # kept open as long as this is: its end is the driver's
        with contextlib.suppress(OSError):  # full, or the watch was ended
            os.write(pipe, b".")

    return move


def main() -> None:
    """Watch the process that started this one: its number, and how many seconds it may be silent."""
    driver, seconds = int(sys.argv[1]), float(sys.argv[2])
    silent, looked_at = 0.0, time.monotonic()
    while silent < seconds:
        moved = bool(select.select([0], [], [], min(LOOK_S, seconds))[0])
        if moved and not os.read(0, 1024):
            return  # it has ended
        # A look counts for a few seconds at most: a job that is suspended is so with all its processes.
        silent = 0.0 if moved else silent + min(time.monotonic() - looked_at, LOOK_S)
        looked_at = time.monotonic()
    if os.getppid() == driver:
        print(f"the driver has not moved for {seconds:g} s and is ended; its successor goes on", flush=True)
        os.kill(driver, signal.SIGKILL)


def _be_deaf() -> None:
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
