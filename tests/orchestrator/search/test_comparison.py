"""What can be told apart, and how often that is right when the truth is known."""

import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.search.comparison import compare


def test_two_configurations_are_compared_by_the_corrected_resampled_t_test() -> None:
    one, other = np.array([0.9, 0.8, 0.85, 0.87, 0.83]), np.array([0.85, 0.79, 0.83, 0.82, 0.83])
    differences = one - other
    error = differences.std(ddof=1) * math.sqrt(1 / 5 + 1 / 4)  # Nadeau and Bengio 2003
    found = compare({4: one.tolist(), 7: other.tolist()}, largest=True, test_over_train=1 / 4)
    assert error == pytest.approx(found.standard_error)
    assert stats.t.sf(differences.mean() / error, 4) == pytest.approx(found.p_values[7])
    assert 2 * found.p_values[7] == pytest.approx(found.p_all_equal), "of two, the F-test is the two-sided t-test"


def test_the_smallest_is_the_best_where_that_is_asked_for() -> None:
    found = compare({0: [0.3, 0.4], 1: [0.1, 0.25]}, largest=False, test_over_train=0.25)
    assert (1, {1: 0.175, 0: 0.35}) == (found.best, pytest.approx(dict(found.means)))


def test_ties_are_monotone_in_the_mean() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        rows = rng.normal(0, 1, (8, 1)) + rng.normal(0, 1, 6) + rng.normal(0, 1, (8, 6)) * rng.uniform(0.1, 3, (8, 1))
        found = compare(dict(enumerate(rows.tolist())), largest=True, test_over_train=0.2)
        assert list(found.means)[: len(found.ties)] == list(found.ties)
        assert list(found.means)[: len(found.within_one_error)] == list(found.within_one_error)


def test_equal_scores_are_ties_and_a_difference_without_noise_is_one() -> None:
    found = compare({0: [0.8, 0.9], 1: [0.8, 0.9], 2: [0.7, 0.8]}, largest=True, test_over_train=0.25)
    assert (0, 1) == found.ties
    assert found.differ


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_the_best_is_among_the_ties_and_equals_are_told_equal_in_19_of_20_searches(spread: float) -> None:
    """The noise is as the correction assumes at worst: a part of it is shared by all fits of a configuration."""
    rng = np.random.default_rng(3)
    folds, seeds, trials, searches = 4, 2, 15, 400
    ratio = 1 / (folds - 1)
    contained = kept = 0
    for _ in range(searches):
        truth = rng.normal(0, spread, trials)
        of_data = rng.normal(0, math.sqrt(ratio), trials)
        noise = rng.normal(0, 1, (trials, folds * seeds)) + rng.normal(0, 2, folds * seeds)
        scores = (truth + of_data)[:, None] + noise
        found = compare(dict(enumerate(scores.tolist())), largest=True, test_over_train=ratio)
        contained += int(truth.argmax()) in found.ties
        kept += not found.differ
    assert contained >= 0.95 * searches
    assert (kept >= 0.93 * searches) if spread == 0 else (kept < 0.9 * searches)  # .93: two standard errors below .95
