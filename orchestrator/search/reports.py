"""What a fit may report: each step once, in order, up to its last, with a checkpoint that is there.

A step that was reported before a fit was started again is only compared: on another machine it may come out a little
different. Within one start it is the same fit that says two things of one step, and neither can be believed.
"""

import logging
import os
from collections.abc import Iterator
from numbers import Integral
from pathlib import Path

from orchestrator.history.ledger import FitEntry
from orchestrator.history.records import FitKey
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.verdicts import differences_between
from orchestrator.task import Metrics

log = logging.getLogger(__name__)


class Reports:
    """What the fits that run now have reported since they were started, and what of it was refused."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._steps: dict[FitKey, set[int]] = {}
        self._refused: dict[FitKey, str] = {}

    def begun(self, key: FitKey) -> None:
        """Take note that a fit begins to report, for the first time or again."""
        self._steps[key] = set()

    def refuse(
        self, fit: FitEntry, step: int, metrics: Metrics, checkpoint: str | None, *, max_steps: int
    ) -> str | None:
        """Return which rule a report breaks; None: it may be taken. The first refusal of a fit stays."""
        mistake = self._refused.get(fit.key) or self._mistake(fit, step, metrics, checkpoint, max_steps)
        if mistake:
            self._refused[fit.key] = mistake
        else:
            self._steps.setdefault(fit.key, set()).add(step)
        return mistake

    def over(self, key: FitKey) -> str | None:
        """Forget a fit; return what of it was refused."""
        self._steps.pop(key, None)
        return self._refused.pop(key, None)

    def _mistake(
        self, fit: FitEntry, step: int, metrics: Metrics, checkpoint: str | None, max_steps: int
    ) -> str | None:
        if not isinstance(step, Integral) or isinstance(step, bool) or not 1 <= step <= max_steps:
            return f"it reported step {step}: a step must be a whole number from 1 to {max_steps}"
        if step in fit.metrics:
            return self._repeated(fit, step, metrics)
        if step < fit.last_step:
            return f"it reported step {step} after step {fit.last_step}: steps must be reported in order"
        if checkpoint is not None:
            return next(_mistakes_of(checkpoint, step, self._folder.fit(fit.key)), None)
        return None

    def _repeated(self, fit: FitEntry, step: int, metrics: Metrics) -> str | None:
        for difference in differences_between(fit.metrics[step], metrics):
            if step in self._steps.get(fit.key, ()):
                return f"it reported step {step} twice with other numbers ({difference}): report each step once"
            log.warning("trial %d: repeated step %d gives %s", fit.key.trial, step, difference)
        return None


def _mistakes_of(checkpoint: str, step: int, folder: Path) -> Iterator[str]:
    path = Path(os.path.normpath(folder / checkpoint))
    if not path.is_relative_to(folder) or path == folder:
        yield f"it reported step {step} with checkpoint {checkpoint}: it must lie below the fit's own folder, {folder}"
    elif not (path.exists() or (path.parent.is_dir() and path.name in os.listdir(path.parent))):
        # A network disk may remember for a while that a file was not there, but lists a folder as it is.
        yield f"it reported step {step} with checkpoint {checkpoint}, which is not there: write it before the report"
