import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from ecgcore.scores.bootstrap import patient_weights
from ecgcore.scores.metrics import BINS, calibration_error
from ecgcore.scores.reliability import reliability_bins


def answers(records: int = 200) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    random = np.random.default_rng(0)
    claimed = random.uniform(0, 1, (records, 1))
    patients = [str(index // 2) for index in range(records)]
    return claimed, random.uniform(0, 1, claimed.shape) < claimed, patients, patient_weights(patients, seed=1)


def test_bins_are_scikit_learns_and_their_gaps_make_up_the_calibration_error():
    claimed, right, patients, weights = answers()
    bins = reliability_bins(claimed, right, patients, weights)
    shares, means = calibration_curve(right[:, 0], claimed[:, 0], n_bins=BINS)
    assert [one.right.value for one in bins] == pytest.approx(shares)
    assert [one.claimed for one in bins] == pytest.approx(means)
    gap = sum(one.count * abs(one.claimed - one.right.value) for one in bins) / len(claimed)
    assert gap == pytest.approx(calibration_error(claimed, right.astype(float), multilabel=True))


def test_answers_of_several_classes_are_pooled_and_a_bin_has_an_interval_around_its_share():
    claimed, right, patients, weights = answers()
    pairs = np.concatenate([claimed, claimed], axis=1), np.concatenate([right, right], axis=1)
    once, twice = (reliability_bins(*each, patients, weights) for each in ((claimed, right), pairs))
    assert [2 * one.count for one in once] == [one.count for one in twice]
    # the same answers twice tell no more of the patients than once
    assert [one.right.low for one in twice] == pytest.approx([one.right.low for one in once])
    assert all(one.right.low < one.right.value < one.right.high for one in once if 0 < one.right.value < 1)
