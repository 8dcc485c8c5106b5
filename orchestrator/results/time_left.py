"""For how long a search will still run, from what its trials took so far: a guess with an interval, or none yet.

A trial that is to come takes what one of those that ended took, pruned, failed and repeated ones (which take nothing)
included. A sampler that learns to draw longer or shorter ones is not foreseen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy import stats

from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.search.comparison import CONFIDENCE

FEWEST_TRIALS = 3  # that ended: of fewer nobody knows how much they vary


@dataclass(frozen=True, kw_only=True)
class TimeLeft:
    """Seconds of wall-clock, with a 95 % prediction interval."""

    seconds: float
    low: float
    high: float

    def at_most(self, seconds: float) -> "TimeLeft":
        """Return it where the search ends after so long in any case."""
        return TimeLeft(seconds=min(self.seconds, seconds), low=min(self.low, seconds), high=min(self.high, seconds))


def time_left(ended: Sequence[float], *, begun: Sequence[float], to_come: int, at_once: float) -> TimeLeft | None:
    """Return what is left of a search; None: not yet known.

    ended: the seconds of work of each trial that is over; begun: those spent on each that is not; to_come: how many are
    not begun; at_once: fits at work side by side. The interval is that of a sum of new draws whose mean is estimated:
    its variance is that of the draws, n, and that of the estimate, n^2 / (number of those that ended).
    """
    if len(ended) < FEWEST_TRIALS:
        return None
    work = to_come * fmean(ended) + sum(_rest(ended, spent) for spent in begun)
    count = to_come + len(begun)
    error = stdev(ended) * math.sqrt(count + count**2 / len(ended))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(ended) - 1)) * error
    low, high = max(0.0, work - reach), work + reach
    return TimeLeft(seconds=work / at_once, low=low / at_once, high=high / at_once)


def _rest(ended: Sequence[float], spent: float) -> float:
    """Return what a trial still takes that has taken so long: the mean rest of those that took longer."""
    longer = [seconds - spent for seconds in ended if seconds > spent]
    return fmean(longer) if longer else 0.0


def time_left_of(ledger: Ledger) -> TimeLeft | None:
    """Return what is left of a search by its journal; None: not yet known."""
    spec = ledger.spec
    assert spec is not None
    begun = list(ledger.open.values())
    to_come = max(0, spec.total - len(ledger.trials))
    fits = (to_come + len(begun)) * spec.seeds * int(ledger.facts.get("folds") or spec.folds or 1)
    side_by_side = ledger.fit_seconds / ledger.elapsed_s if ledger.elapsed_s else 1.0
    return time_left(
        [_work(trial) for trial in ledger.told()],
        begun=[_work(trial) for trial in begun],
        to_come=to_come,
        at_once=max(1.0, min(side_by_side, fits)),
    )


def _work(trial: TrialEntry) -> float:
    return sum(fit.seconds for fit in trial.fits.values())
