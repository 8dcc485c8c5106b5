"""How sure a mean over fits is: its 95 % interval, inside the bounds of the score, and what varies in it.

Of fewer than three fits there is none: with two, Student's t has a single degree of freedom, and its interval says
nothing but that nothing is known.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy import stats

from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.search.comparison import CONFIDENCE

FEWEST_FITS = 3
Bounds = tuple[float, float]

# Scores that lie from 0 to 1 by their definition, where the task of an earlier journal did not say so.
_SHARES = re.compile(r"(^|_)(auc|auroc|auprc|f1|precision|recall|accuracy|sensitivity|specificity)(_|$)")


@dataclass(frozen=True)
class Interval:
    """A mean over fits; sd is None for a single one, the bounds of its 95 % interval for fewer than three."""

    mean: float
    sd: float | None
    low: float | None
    high: float | None


def t_interval(scores: Sequence[float], *, bounds: Bounds | None = None) -> Interval:
    """Return mean, standard deviation and 95 % t-interval of the scores (one a fit), inside the score's bounds."""
    mean, sd = fmean(scores), stdev(scores) if len(scores) > 1 else None
    if sd is None or len(scores) < FEWEST_FITS:
        return Interval(mean, sd, None, None)
    low, high = around(mean, error=sd / math.sqrt(len(scores)), fits=len(scores), bounds=bounds)
    return Interval(mean, sd, low, high)


@dataclass(frozen=True, kw_only=True)
class CorrectedMean:
    """A mean of scores whose parts share train records; the bounds are None for fewer than three."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        spread = "" if self.low is None or self.high is None else f" [{self.low:.4f}, {self.high:.4f}]"
        return f"{self.mean:.4f}{spread}"


def corrected_mean(values: Sequence[float], *, test_over_train: float, bounds: Bounds | None = None) -> CorrectedMean:
    """Return the mean of values, one a fit or an outer part, with its 95 % interval, inside a score's bounds.

    That of the corrected resampled t-test (comparison.py): the parts share train records, so their mean varies more.
    """
    mean = fmean(values)
    if len(values) < FEWEST_FITS:
        return CorrectedMean(mean=mean, low=None, high=None)
    error = stdev(values) * math.sqrt(1 / len(values) + test_over_train)
    low, high = around(mean, error=error, fits=len(values), bounds=bounds)
    return CorrectedMean(mean=mean, low=low, high=high)


def around(mean: float, *, error: float, fits: int, bounds: Bounds | None) -> Bounds:
    """Return the t-interval around a mean over so many fits, of a bounded score on the scale of its log-odds.

    There its reach is that of the plain interval (to first order), and no end of it lies outside; error: standard.
    """
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, fits - 1)) * error
    if bounds is None or half == 0:
        return mean - half, mean + half
    least, most = bounds
    share = (mean - least) / (most - least)
    reach = half / (most - least) / (share * (1 - share))
    low, high = (least + (most - least) * _moved(share, by) for by in (-reach, reach))
    return low, high


def _moved(share: float, log_odds: float) -> float:
    """Return a share whose log-odds are so much larger."""
    odds = math.log(share / (1 - share)) + log_odds
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))


def bounds_of(metric: str, scores: Sequence[float], *, declared: Sequence[float] | None = None) -> Bounds | None:
    """Return between which values a score lies: as its task declared, or as its name says; never against the scores."""
    least, most = declared or (0.0, 1.0)
    known = declared is not None or _SHARES.search(metric)
    return (least, most) if known and all(least <= score <= most for score in scores) else None


def interval_of(ledger: Ledger, trial: TrialEntry) -> Interval:
    """Return the mean over a trial's fits, of which there is at least one, and how sure it is."""
    assert ledger.spec is not None
    scores = ledger.scores(trial)
    return t_interval(scores, bounds=bounds_of(ledger.spec.metric, scores, declared=ledger.facts.get("metric_bounds")))


def varying(fits: Iterable[tuple[int, int]]) -> str:
    """Say what varies between fits, given by (seed, fold): `2 seeds x 3 folds`, `3 folds`, or `1 fit`."""
    known = list(fits)
    seeds, folds = len({seed for seed, _ in known}), len({fold for _, fold in known})
    said = [f"{number} {what}" for number, what in ((seeds, "seeds"), (folds, "folds")) if number > 1]
    return " x ".join(said) or "1 fit"
