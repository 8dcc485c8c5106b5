"""Toy tasks that do one thing more, for what an executor must bear."""

import errno
import os
import re
import shutil
import signal
import time

from orchestrator.task import Fit, Report
from tests.toy_task import ToyTask


class Talking(ToyTask):
    """Prints, and stops at a breakpoint where somebody is there to answer."""

    def __init__(self, *, ask: bool = False) -> None:
        super().__init__()
        self.ask = ask

    def fit(self, fit: Fit, report: Report) -> None:
        print(f"hello from trial {fit.trial}")
        if self.ask:
            breakpoint()
        super().fit(fit, report)


class Stubborn(ToyTask):
    """Catches every Exception, as much code does, and cleans up."""

    def fit(self, fit: Fit, report: Report) -> None:
        try:
            super().fit(fit, report)
        except Exception:
            (fit.directory / "caught").touch()
        finally:
            (fit.directory / "cleaned-up").touch()


class OutOf(ToyTask):
    """Runs out of something at its second step, once or always."""

    def __init__(self, *, what: str, always: bool = False) -> None:
        super().__init__()
        self.what, self.always = what, always

    def fit(self, fit: Fit, report: Report) -> None:
        def report_or_fail(step: int, metrics: dict[str, float], checkpoint: str | None = None) -> None:
            if step == 2 and (self.always or not (fit.directory / "once").exists()):
                (fit.directory / "once").touch()
                raise (
                    MemoryError
                    if self.what == "memory"
                    else OSError(errno.ENOSPC, "No space left on device", "weights")
                )
            report(step, metrics, checkpoint)

        super().fit(fit, report_or_fail)


class Swallowing(ToyTask):
    """Is interrupted and returns as if it were done, as some training libraries do."""

    def fit(self, fit: Fit, report: Report) -> None:
        report(1, {"score": 0.5})
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            return


class Lingering(ToyTask):
    """Takes for ever to clean up when it is told to stop, in the first trial."""

    def fit(self, fit: Fit, report: Report) -> None:
        try:
            super().fit(fit, report)
        finally:
            if fit.trial == 0:
                time.sleep(3600)


class OutOfMemoryError(RuntimeError):
    """As torch's is called."""


class NeedsRoom(ToyTask):
    """Runs out of a GPU's memory at its second step with whole batches; trial 1 with halves of them, too."""

    def fit(self, fit: Fit, report: Report) -> None:
        def report_or_fail(step: int, metrics: dict[str, float], checkpoint: str | None = None) -> None:
            if step == 2 and (fit.batch_parts == 1 or fit.trial == 1):
                raise OutOfMemoryError("Tried to allocate 2.00 GiB")
            report(step, metrics, checkpoint)

        super().fit(fit, report_or_fail)


class Hanging(ToyTask):
    """Hangs before its second step, each trial in a way of its own, once; with `always` the first each time."""

    def __init__(self, *, always: bool = False) -> None:
        super().__init__(folds=1)
        self.always = always

    def fit(self, fit: Fit, report: Report) -> None:
        def hang_or_report(step: int, metrics: dict[str, float], checkpoint: str | None = None) -> None:
            if step == 2 and ((self.always and fit.trial == 0) or not (fit.directory / "once").exists()):
                (fit.directory / "once").touch()
                self._hang(fit.trial)
            report(step, metrics, checkpoint)

        super().fit(fit, hang_or_report)

    def _hang(self, trial: int) -> None:
        if trial == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
        if trial == 2:  # within C, where no other thread of the process gets a turn
            re.match(r"(a+)+$", "a" * 60 + "b")
        time.sleep(3600)


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Raising(ToyTask):
    """Raises an error that is hard to write down, in the first trial only."""

    def __init__(self, *, what: str) -> None:
        super().__init__()
        self.what = what

    def fit(self, fit: Fit, report: Report) -> None:
        if fit.trial:
            return super().fit(fit, report)
        print("surrogates are printed, too: \udcff")
        if self.what == "surrogates":
            raise ValueError("a name of no encoding: \udcff\ud800")
        if self.what == "long":
            raise ValueError("x" * 20_000_000 + " the end")
        if self.what == "unspeakable":
            raise UnspeakableError
        if self.what == "many lines":
            raise ValueError("the first line\n" + "y\n" * 10_000_000)
        shutil.rmtree(fit.directory)
        if self.what == "folder gone, raised":
            raise ValueError("nowhere to go")
        if self.what == "folder a file":
            fit.directory.write_text("")
            raise ValueError("nowhere to go")
        return None
