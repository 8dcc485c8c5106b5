"""What a search has spent of its budget: the wall-clock of all its starts, the GPU-hours of its fits."""

import time
from collections.abc import Callable

from orchestrator.history.ledger import Ledger
from orchestrator.specs.specs import Budget


class Spending:
    """The account of one start of a search, opened with what the starts before it spent."""

    def __init__(
        self, budget: Budget | None, ledger: Ledger, *, seconds_now: Callable[[], float] = time.monotonic
    ) -> None:
        self.gpus_per_fit = 0.0  # whoever executes the fits knows
        self._budget = budget
        self._ledger = ledger
        self._seconds_now = seconds_now
        self._opened_at = seconds_now()
        self._elapsed_before = ledger.elapsed_s

    @property
    def is_over(self) -> bool:
        """Whether one of the budget's limits is reached."""
        if self._budget is None:
            return False
        seconds = self._elapsed_before + self._seconds_now() - self._opened_at
        if self._budget.minutes is not None and seconds >= self._budget.minutes * 60:
            return True
        return (
            self._budget.gpu_hours is not None and fit_hours(self._ledger) * self.gpus_per_fit >= self._budget.gpu_hours
        )


def fit_hours(ledger: Ledger) -> float:
    """Return the hours that the fits of a search took in workers, those side by side added up."""
    return ledger.fit_seconds / 3600
