"""Whether a trial was trained long enough, as far as the curves of its fits show it."""

import math
from statistics import fmean, median_low, stdev

from orchestrator.history.ledger import Ledger, TrialEntry

LAST_SHARE = 0.1  # of a fit's steps: what these gained


def is_rising(ledger: Ledger, trial: TrialEntry, *, test_over_train: float) -> bool:
    """Return whether the mean over fits still became better, by more than one standard error, in the last tenth.

    Nothing is claimed of a single fit, of fits of fewer than ten steps, or where they were not judged at their end.
    """
    spec = ledger.spec
    assert spec is not None
    sign = 1.0 if spec.mode == "max" else -1.0
    gains = []
    for key, last in ledger.judged_steps(trial).items():
        rows = trial.fits[key].metrics
        before = last - max(1, round(LAST_SHARE * last))
        if last < round(1 / LAST_SHARE) or last < max(rows) or before not in rows:
            return False
        gains.append(sign * (rows[last][spec.metric] - rows[before].get(spec.metric, math.nan)))
    if len(gains) < 2 or not all(map(math.isfinite, gains)):
        return False
    return fmean(gains) > stdev(gains) * math.sqrt(1 / len(gains) + test_over_train)


def remark_on_length(ledger: Ledger, trial: TrialEntry, *, rising: bool) -> str | None:
    """Return what is to be said of a winner whose fits were trained for too short, or for nothing; None: nothing.

    rising: as `is_rising` says. Asked are the steps at which each fit was best, wherever it was judged.
    """
    spec = ledger.spec
    assert spec is not None
    fits = [trial.fits[key] for key in ledger.judged_steps(trial)]
    last = median_low(max(fit.metrics) for fit in fits) if fits else 1
    if last == 1:
        return None
    if rising:
        return "its fits still became better in their last tenth: offer a longer max_steps"
    best = median_low(fit.best_step(spec.metric, spec.mode) or last for fit in fits)
    if best == 1:
        return f"its fits were best after step 1 of {last} (the median): training made them worse, if anything"
    if best == last:
        return f"its fits were best at their last step, {last} (the median): a longer max_steps may be better"
    return None
