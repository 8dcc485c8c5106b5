"""How sure a test score is: 95 % intervals from resampling patients, whose records are not independent.

All resamples are computed at once, as weights: a library call a resample and class would take a hundred
times as long.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t as student

Floats = NDArray[np.floating]
RESAMPLES = 1000


def patient_weights(patients: Sequence[str], *, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Draw patients with replacement; return how often each record counts: (resamples, records)."""
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), shares, size=resamples)
    return drawn[:, owner].astype(np.float64)


def weighted_auc(scores: Floats, truth: NDArray[np.bool_], weights: Floats) -> NDArray[np.float64]:
    """Area under the ROC curve for each row of weights (resamples, records); NaN where one side is missing.

    It is the weight of the (positive, negative) pairs in the right order, ties counting half.
    """
    levels, level = np.unique(scores, return_inverse=True)
    positives = _sums(weights * truth, level, len(levels))
    negatives = _sums(weights * ~truth, level, len(levels))
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    right = (positives * (negatives.cumsum(axis=1) - negatives / 2)).sum(axis=1)
    return _ratio(right, pairs)


def weighted_f1(called: NDArray[np.bool_], truth: NDArray[np.bool_], weights: Floats) -> NDArray[np.float64]:
    """F1 for each row of weights (resamples, records); NaN where nothing is true or called."""
    both = weights @ (2.0 * (called & truth))
    either = weights @ (called.astype(float) + truth)
    return _ratio(both, either)


def weighted_share(part: NDArray[Any], whole: NDArray[Any], weights: Floats) -> NDArray[np.float64]:
    """Sum of `part` over that of `whole`, counts of each record, for each row of weights; NaN where it is over 0."""
    return _ratio(weights @ part.astype(float), weights @ whole.astype(float))


def weighted_precision_recall_area(scores: Floats, truth: NDArray[np.bool_], weights: Floats) -> NDArray[np.float64]:
    """Average precision for each row of weights (resamples, records); NaN where nothing is true."""
    levels, level = np.unique(-scores, return_inverse=True)  # the largest first
    positives = _sums(weights * truth, level, len(levels))
    above = positives.cumsum(axis=1)
    called = above + _sums(weights * ~truth, level, len(levels)).cumsum(axis=1)
    precision = np.divide(above, called, out=np.zeros_like(called), where=called > 0)
    return _ratio((positives * precision).sum(axis=1), above[:, -1])


def patients_of(patients: Sequence[str], truth: NDArray[np.bool_]) -> list[int]:
    """Return how many patients have each class, from truth (records, classes)."""
    owner = np.asarray(patients)
    return [len(np.unique(owner[column])) for column in truth.T]


def bootstrap_interval(
    by_class: Sequence[NDArray[np.float64]], *, score: float, patients: Sequence[int]
) -> tuple[float, float]:
    """95 % interval of `score`, a mean over classes that so many `patients` have each, from its values in resamples.

    A resample that lacks a class averages over the others. The interval is Student's, of the resamples' spread, on the
    scale of log odds, so that it stays between 0 and 1 and is the wider on the side where there is room. Of 1,500
    data sets each of 60, 120 and 240 patients (tests/benchmarks/coverage.py) it held the true macro-AUC in 94.7, 94.4
    and 93.5 %, macro-F1 in 94.1, 95.1 and 94.5 %; quantiles of the resamples, of 1,000 data sets of 60 patients, in
    92.5 % and 89.6 %.
    """
    values = np.stack([_spread(column, count) for column, count in zip(by_class, patients, strict=True)])
    present = ~np.isnan(values)
    usable = present.any(axis=0)
    means = np.where(present, values, 0.0).sum(axis=0)[usable] / present.sum(axis=0)[usable]
    if max(patients) < 2 or len(means) < 2 or not 0 < score < 1:  # the log odds of a perfect score are infinite
        low, high = np.quantile(means, [0.025, 0.975]) if len(means) else (np.nan, np.nan)
        return float(min(low, score)), float(max(high, score))
    reach = student.ppf(0.975, sum(patients) - 1) * means.std(ddof=1) / (score * (1 - score))
    return float(expit(logit(score) - reach)), float(expit(logit(score) + reach))


def _spread(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Widen a class's values around their mean: resamples of n patients spread as if there were n - 1."""
    if count < 2 or np.isnan(values).all():
        return values
    mean = np.nanmean(values)
    return np.asarray(mean + (values - mean) * np.sqrt(count / (count - 1)))


def _ratio(above: Floats, below: Floats) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return values


def _sums(values: Floats, group: NDArray[np.intp], groups: int) -> NDArray[np.float64]:
    """Sum the columns of `values` by their group: (rows, groups), groups in ascending order."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(groups))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1), np.float64)
