import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from ecgcore.scores.bootstrap import bootstrap_interval, patient_weights, patients_of, weighted_auc, weighted_f1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(2, 30))
def test_weighted_areas_are_scikit_learns(seed, levels):
    """With ties too; the library is right and slow."""
    random = np.random.default_rng(seed)
    truth = np.arange(40) % 3 == 0
    scores = random.integers(0, levels, 40) / levels
    weights = random.integers(0, 4, (3, 40)).astype(float)
    expected = [roc_auc_score(truth, scores, sample_weight=row) for row in weights]
    assert weighted_auc(scores, truth, weights) == pytest.approx(expected)
    called = scores > 0.5
    f1 = [f1_score(truth, called, sample_weight=row, zero_division=0) for row in weights]
    assert weighted_f1(called, truth, weights) == pytest.approx(f1)


def test_a_patient_comes_with_all_records_or_none():
    weights = patient_weights(["a", "b", "a", "c", "b"], seed=1, resamples=200)
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, 1], weights[:, 4])
    assert np.array_equal(weights[:, 0] + weights[:, 1] + weights[:, 3], np.full(200, 3.0))


def test_more_patients_make_the_interval_narrower_and_it_holds_the_score():
    widths = []
    for patients in (50, 800):
        random = np.random.default_rng(0)
        truth = np.arange(patients) % 2 == 0
        scores = truth + random.normal(0, 1, patients)
        weights = patient_weights([str(index) for index in range(patients)], seed=2)
        low, high = bootstrap_interval(
            [weighted_auc(scores, truth, weights)], score=roc_auc_score(truth, scores), patients=[patients]
        )
        assert low < roc_auc_score(truth, scores) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2.5


def test_copies_of_a_patients_record_do_not_make_it_narrower():
    random = np.random.default_rng(0)
    truth = np.arange(60) % 2 == 0
    scores = truth + random.normal(0, 1, 60)
    names = [str(index) for index in range(60)]
    single = [weighted_auc(scores, truth, patient_weights(names, seed=2))]
    triple = [weighted_auc(np.tile(scores, 3), np.tile(truth, 3), patient_weights(names * 3, seed=2))]
    once, thrice = (bootstrap_interval(values, score=0.7, patients=[60]) for values in (single, triple))
    assert once == pytest.approx(thrice)


def test_a_resample_that_lacks_a_class_averages_over_the_others():
    low, high = bootstrap_interval(
        [np.array([0.6, np.nan, np.nan]), np.array([0.8, 0.7, np.nan])], score=0.7, patients=[1, 1]
    )
    assert (low, high) == pytest.approx((0.7, 0.7))


def test_patients_are_counted_once_for_each_class_that_they_have():
    truth = np.array([[1, 0], [1, 1], [1, 0], [0, 0]], bool)
    assert patients_of(["a", "a", "b", "c"], truth) == [2, 1]


def test_fewer_patients_of_a_class_make_the_same_resamples_tell_less():
    resamples = np.random.default_rng(0).normal(0.7, 0.02, 500)
    few, many = (bootstrap_interval([resamples], score=0.7, patients=[count]) for count in (6, 600))
    assert few[0] < many[0] < 0.7 < many[1] < few[1]
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * 0.02, rel=0.1)
