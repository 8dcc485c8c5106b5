"""The executor on this machine: a private Ray that lives as long as the driver."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from orchestrator.errors import RayFailed, printable, text_of
from orchestrator.execution.fresh_start import start_afresh
from orchestrator.execution.private_ray import new_token, private_folder
from orchestrator.execution.ray_connection import start, stop
from orchestrator.execution.ray_watch import RayWatch
from orchestrator.history.run_folder import RunFolder
from orchestrator.interrupts import is_command, is_told_to_end

if TYPE_CHECKING:
    from orchestrator.execution.ray_tune import RayExecutor

# Ray makes 127.0.0.1 the machine's own address and then listens on every address, unless it is told, as by default on
# macOS and Windows, that there will be no second machine.
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@contextlib.contextmanager
def local_ray(folder: RunFolder, *, cpus: int, threads: int) -> Iterator["RayExecutor"]:
    """Start Ray with `cpus` CPUs and `threads` threads for each fit; give what executes searches on it; end it.

    Where Ray does not start or is lost, this whole process becomes a fresh start of its command for the run in
    `folder`, or ends with exit code 1. A program that calls us is left alone: it gets RayFailed.
    """
    environment = dict(os.environ)

    def lost(why: str) -> NoReturn:
        if not is_command():
            raise RayFailed(why)
        start_afresh(folder, why, environment=environment)

    with private_folder(new_token(), OMP_NUM_THREADS=str(threads), **_LOOPBACK_ONLY) as temp:
        watch = RayWatch(temp, lost)

        def why_worker_went(_job: str) -> None:
            """With Ray itself: then no loss is journaled, and this does not return."""
            watch.lose_if_dead()

        try:
            with watch.watching() if is_command() else contextlib.nullcontext():
                _start(temp, watch, cpus=cpus)
                from orchestrator.execution.ray_tune import (
                    RayExecutor,  # now: Ray reads its environment when it is imported
                )

                try:
                    yield RayExecutor(
                        temp=temp, cpus_per_fit=threads, driver=os.getpid(), why_worker_went=why_worker_went
                    )
                except RayFailed:
                    watch.lose_if_dead()
                    raise
        finally:
            stop(temp)


def _start(temp: Path, watch: RayWatch, *, cpus: int) -> None:
    try:
        start(temp, cpus=cpus)
    except Exception as error:  # of many kinds: a part was not up in time, or died, or could not be reached
        first_line = next(iter(text_of(error).splitlines()), "")
        why = f"Ray did not start ({printable(first_line, most=200)})"
        watch.lose(why)
        raise RayFailed(why) from error
    watch.is_up()
    if is_told_to_end():  # and Ray has caught what that raised in it
        raise KeyboardInterrupt
