"""Which configurations cannot be told from the best one: the corrected resampled t-test, over the same fits.

The fits of two configurations share seeds and folds, so they are compared fit by fit; the folds share train records,
so a mean over them varies more than independent fits would (Nadeau and Bengio 2003: 1/n + validation/train in place of
1/n). The noise is estimated once for all, from the better half: with one standard error for every pair, whoever has the
better mean is never the one that is told from the best.

One test of all together (F) comes before any choice: where it cannot tell them apart, the best of them is chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
FEWEST = 4  # configurations from which the noise is estimated, where there are so many


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Some configurations, by number, beside the best of them."""

    best: int
    means: Mapping[int, float]
    standard_error: float | None  # of the difference of any two means, corrected; None: a single fit each
    p_values: Mapping[int, float]  # that one is as good as the best, one-sided, by Holm for all that are compared
    p_all_equal: float  # that all are equally good

    @property
    def differ(self) -> bool:
        """Whether there is anything to choose by, at 5 %."""
        return self.p_all_equal < 1 - CONFIDENCE

    @property
    def ties(self) -> tuple[int, ...]:
        """All that cannot be told from the best at 5 %, itself included, by mean: with one fit each, all of them."""
        return tuple(number for number in self.means if self.p_values[number] > 1 - CONFIDENCE)

    @property
    def within_one_error(self) -> tuple[int, ...]:
        """All whose mean lies within one standard error of the best one's."""
        reach = math.inf if self.standard_error is None else self.standard_error
        return tuple(number for number, mean in self.means.items() if abs(self.means[self.best] - mean) <= reach)


def compare(scores: Mapping[int, Sequence[float]], *, largest: bool, test_over_train: float) -> Comparison:
    """Compare configurations by their scores over the same fits, in the same order.

    scores: by configuration, at least one; largest: whether the largest score is the best; test_over_train: validation
    records over train records of a fit.
    """
    sign = 1.0 if largest else -1.0
    values = {number: sign * np.asarray(row, float) for number, row in scores.items()}
    order = sorted(values, key=lambda number: (-values[number].mean(), number))
    best = order[0]
    means = {number: float(values[number].mean()) for number in order}
    fits = len(values[best])
    if fits < 2 or len(order) < 2:
        p_values = dict.fromkeys(order, 1.0)
        return Comparison(
            best=best, means=_signed(means, sign), standard_error=None, p_values=p_values, p_all_equal=1.0
        )
    better = np.stack([values[number] for number in order[: max(FEWEST, math.ceil(len(order) / 2))]])
    variance, freedom = _noise(better, scale=1 / fits + test_over_train)
    error = math.sqrt(2 * variance)
    raw = {number: _p_value(means[best] - means[number], error, freedom) for number in order[1:]}
    return Comparison(
        best=best,
        means=_signed(means, sign),
        standard_error=error,
        p_values={best: 1.0, **_by_holm(raw)},
        p_all_equal=_p_all_equal(np.stack(list(values.values())), scale=1 / fits + test_over_train),
    )


Rows = np.ndarray[tuple[int, ...], np.dtype[np.float64]]  # (configurations, fits)


def _noise(rows: Rows, *, scale: float) -> tuple[float, int]:
    """Return the variance of a configuration's mean, from what neither it nor the fit explains, and its freedom."""
    rest = rows - rows.mean(axis=1, keepdims=True) - rows.mean(axis=0, keepdims=True) + rows.mean()
    freedom = (rows.shape[0] - 1) * (rows.shape[1] - 1)
    return float((rest**2).sum()) / freedom * scale, freedom


def _p_all_equal(rows: Rows, *, scale: float) -> float:
    """F-test of the means, with the corrected variance of a mean."""
    variance, freedom = _noise(rows, scale=scale)
    between = float(rows.mean(axis=1).var(ddof=1))
    if variance == 0:
        return 1.0 if between == 0 else 0.0
    return float(stats.f.sf(between / variance, len(rows) - 1, freedom))


def _p_value(difference: float, error: float, freedom: int) -> float:
    if error == 0 or difference / error > 1e9:
        return 1.0 if difference == 0 else 0.0
    return float(stats.t.sf(difference / error, freedom))


def _by_holm(p_values: Mapping[int, float]) -> dict[int, float]:
    """Holm's step-down: the smallest of m counts m times, the next m - 1 times, and none is below one before it."""
    adjusted, largest = {}, 0.0
    for passed, number in enumerate(sorted(p_values, key=lambda number: (p_values[number], -number))):
        largest = max(largest, min(1.0, (len(p_values) - passed) * p_values[number]))
        adjusted[number] = largest
    return adjusted


def _signed(means: Mapping[int, float], sign: float) -> dict[int, float]:
    return {number: sign * mean for number, mean in means.items()}
