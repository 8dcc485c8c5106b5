"""Whether a trial's fits so far say that it cannot win, so that its further fits need not be run.

Read off the ledger alone: a replay comes to the same. Scores are compared in pairs, of the same seed and fold, with
the best complete trial's. How much such differences vary is estimated from those of other good trials, too: the two or
three fits of one trial say little of it. What is asked is only which trial this search will find best; how sure that
is, is said of the winner (selection.py).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from scipy import stats

from orchestrator.history.ledger import Ledger, TrialEntry

FEWEST_FITS = 2  # of a trial, before anything is concluded from them
OTHERS = 20  # complete trials, the best ones, from which the variation is estimated

Scores = Mapping[tuple[int, int], float]  # by seed and fold


def is_raced_out(ledger: Ledger, trial: TrialEntry, *, confidence: float) -> bool:
    """Return whether a running trial is behind the best complete one for certain. The default never is."""
    if trial.origin == "default":
        return False
    ranked = ledger.ranked(OTHERS + 1)
    if not ranked:
        return False
    assert ledger.spec is not None
    sign = 1.0 if ledger.spec.mode == "max" else -1.0
    best, *others = (ledger.scores_by_fit(complete) for complete in ranked)
    behind = _behind(ledger.scores_by_fit(trial), best, sign)
    return cannot_win(behind, [_behind(other, best, sign) for other in others], confidence=confidence)


def cannot_win(behind: Sequence[float], others: Sequence[Sequence[float]], *, confidence: float) -> bool:
    """Return whether a one-sided t-test says that the mean of what a trial is behind by is above zero.

    Its variance is pooled over the trial's differences from the best and those of the `others`, each about its mean.
    """
    if len(behind) < FEWEST_FITS:
        return False
    mean = fmean(behind)
    groups = [behind, *(group for group in others if group)]
    squares = sum((value - fmean(group)) ** 2 for group in groups for value in group)
    freedom = sum(len(group) - 1 for group in groups)
    error = math.sqrt(squares / freedom / len(behind))
    if error == 0:
        return mean > 0
    return bool(mean / error > stats.t.ppf(confidence, freedom))


def _behind(scores: Scores, best: Scores, sign: float) -> list[float]:
    return [sign * (best[fit] - score) for fit, score in scores.items() if fit in best]
