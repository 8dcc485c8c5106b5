"""A toy task that goes on when a test lets it: what is looked at or killed is at work then, on a slow machine too."""

import os
import time
from pathlib import Path
from typing import Any

from orchestrator.task import Fit, Metrics, Report
from tests.toy_task import ToyTask

ALL = 1_000_000


class PacedToyTask(ToyTask):
    """The toy whose fits come to their first step and no further, before it is their trial's turn.

    The file `pace` says of how many trials it is.
    """

    def __init__(self, *, pace: str, step_s: float = 0.0, folds: int = 2) -> None:
        super().__init__(step_s=step_s, folds=folds)
        self.pace = Path(pace)

    def fit(self, fit: Fit, report: Report) -> None:
        def report_and_wait(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
            report(step, metrics, checkpoint)
            self._wait_for_its_turn(fit)

        if fit.resume_from:
            self._wait_for_its_turn(fit)
        super().fit(fit, report_and_wait)

    def _wait_for_its_turn(self, fit: Fit) -> None:
        while fit.trial >= int(self.pace.read_text()):
            time.sleep(0.05)


class Pace:
    """What a test has of it: the task for its YAML, and the word how far it may go. At first, no trial has its turn."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "pace"
        self.allow(0)

    def task(self, **given: Any) -> dict[str, Any]:
        return {"name": "tests.paced_task:PacedToyTask", "with": {"pace": str(self._file), **given}}

    def allow(self, trials: int = ALL) -> None:
        """Let so many trials, from the first, come to their end."""
        beside = self._file.with_name("next-pace")
        beside.write_text(str(trials))
        os.replace(beside, self._file)
