"""What a search has spent of its budget: the wall-clock while fits were at work, the GPU-hours of its fits."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from orchestrator.atomic import read_json, write_json
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import FitKey
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import Budget


class Spending:
    """The account of a search over all its starts. Time in which no worker has a fit, as in a queue, is not spent."""

    def __init__(
        self,
        budget: Budget | None,
        ledger: Ledger,
        *,
        at_work: Callable[[], Collection[FitKey]] = tuple,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.gpus_per_fit = 0.0  # whoever executes the fits knows
        self._budget = budget
        self._ledger = ledger
        self._at_work = at_work
        self._now = now
        self._is_over = False

    def each_fit_has(self, gpus: float, *, noted_in: RunFolder) -> None:
        """Count with so much of a GPU for each fit, and write that down for who looks at the folder."""
        self.gpus_per_fit = gpus
        if gpus_per_fit(noted_in) != gpus:
            write_json(noted_in.resources, {"gpus_per_fit": gpus})

    @property
    def is_over(self) -> bool:
        """Whether one of the budget's limits is reached; once it is, that stays so.

        What a fit at work takes is known before the journal says it: of one that was told to stop for that and came
        back, the time that it has spent since its last record would be forgotten.
        """
        self._is_over = self._is_over or self._reached()
        return self._is_over

    def _reached(self) -> bool:
        if self._budget is None:
            return False
        if self._budget.minutes is not None and self._seconds() >= self._budget.minutes * 60:
            return True
        return (
            self._budget.gpu_hours is not None and fit_hours(self._ledger) * self.gpus_per_fit >= self._budget.gpu_hours
        )

    def _seconds(self) -> float:
        """Return what the journal says, and how long the fits that are at work have now said nothing."""
        since = [at for key in self._at_work() if (at := self._ledger.fit(key).last_at) is not None]
        work = self._ledger.time_at_work
        return work.with_open(min(since), self._now()) if since else work.seconds


def gpus_per_fit(folder: RunFolder) -> float | None:
    """Return what each fit of a search has of a GPU; None where nobody wrote that down."""
    return float(read_json(folder.resources)["gpus_per_fit"]) if folder.resources.exists() else None


def fit_hours(ledger: Ledger) -> float:
    """Return the hours that the fits of a search took in workers, those side by side added up."""
    return ledger.fit_seconds / 3600
