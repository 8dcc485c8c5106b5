"""Toy tasks that do one thing more, for what an executor must bear."""

import errno

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
    """Runs out of something at its second step, once."""

    def __init__(self, *, what: str) -> None:
        super().__init__()
        self.what = what

    def fit(self, fit: Fit, report: Report) -> None:
        def report_or_fail(step: int, metrics: dict[str, float], checkpoint: str | None = None) -> None:
            if step == 2 and not (fit.directory / "once").exists():
                (fit.directory / "once").touch()
                raise (
                    MemoryError
                    if self.what == "memory"
                    else OSError(errno.ENOSPC, "No space left on device", "weights")
                )
            report(step, metrics, checkpoint)

        super().fit(fit, report_or_fail)
