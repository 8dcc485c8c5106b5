"""Whether a trial was trained long enough, as far as the curves of its fits show it."""

import math
from statistics import fmean, stdev

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
