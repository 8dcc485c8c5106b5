"""The toy whose fits misbehave, each trial in a way of its own, once: as its first seed comes to its first step."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.task import Fit, Metrics, Report
from tests.toy_task import ToyTask

LONG_S = 600


def _exit_at_once(_folder: Path) -> None:
    os._exit(7)


def _raise_system_exit(_folder: Path) -> None:
    sys.exit("this fit would rather leave")


def _ask_for_too_much_memory(_folder: Path) -> None:
    bytearray(1 << 60)


def _crash(_folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _leave_a_child_behind(folder: Path) -> None:
    if child := os.fork():
        (folder / "child").write_text(str(child))
        return
    os.closerange(0, 3)  # as a daemon does
    time.sleep(LONG_S)
    os._exit(0)


def _fork_and_both_go_on(_folder: Path) -> None:
    os.fork()


def _print_a_lot(_folder: Path) -> None:
    print("a name of no encoding: \udcff")
    for _ in range(20):
        print("x" * 1_000_000)
        os.write(1, b"\xff" * 1_000_000)  # past Python's own output, as libraries in C do it


def _hang(_folder: Path) -> None:
    time.sleep(LONG_S)


DEEDS: Mapping[str, Callable[[Path], None]] = {
    "exits": _exit_at_once,
    "calls sys.exit": _raise_system_exit,
    "runs out of memory": _ask_for_too_much_memory,
    "crashes": _crash,
    "forks, and its child stays": _leave_a_child_behind,
    "prints 40 MB, not all of it text": _print_a_lot,
    "hangs": _hang,
    "forks, and its child goes on, too": _fork_and_both_go_on,
}


class MisbehavingToyTask(ToyTask):
    """deeds: what trial 0, trial 1, ... does, by the names of DEEDS and with `/` between them."""

    def __init__(self, *, deeds: str) -> None:
        super().__init__()
        self.deeds = deeds.split("/")

    def fit(self, fit: Fit, report: Report) -> None:
        def misbehave_and_report(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
            if step == 1 and fit.directory.name.startswith("seed0-") and fit.trial < len(self.deeds):
                _once(fit.directory, DEEDS[self.deeds[fit.trial]])
            report(step, metrics, checkpoint)

        super().fit(fit, misbehave_and_report)


def _once(folder: Path, deed: Callable[[Path], None]) -> None:
    if not (folder / "done").exists():
        (folder / "done").touch()
        deed(folder)
