import numpy as np
import pytest
from scipy.special import expit, softmax

from ecgcore.scores.calibration import Calibration, best_threshold, calibrate, probabilities
from ecgcore.scores.metrics import class_f1, decide


def test_the_temperature_undoes_overconfidence():
    """Labels drawn from softmax(z), logits given as 3 z: the temperature that is likeliest is 3."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (4000, 3))
    classes = [random.choice(3, p=row) for row in softmax(logits, axis=1)]
    found = calibrate(3 * logits, np.eye(3)[classes], multilabel=False)
    assert found.temperature == pytest.approx(3, rel=0.1)


def test_thresholds_are_no_worse_than_any_other_for_f1():
    random = np.random.default_rng(1)
    logits = random.normal(-1, 1, (300, 2))
    labels = (random.random((300, 2)) < expit(2 * logits)).astype(np.float32)
    found = calibrate(logits, labels, multilabel=True)
    scores = probabilities(logits, temperature=found.temperature, multilabel=True)
    best = class_f1(decide(scores, multilabel=True, thresholds=found.thresholds), labels)
    for threshold in np.linspace(0.01, 0.99, 99):
        assert (class_f1(scores >= threshold, labels) <= best + 1e-12).all()


def test_a_threshold_lies_between_the_scores_it_separates():
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.7]), np.array([0, 0, 1, 1])) == pytest.approx(0.4)
    assert best_threshold(np.array([0.1, 0.9]), np.array([0, 0])) == 0.5


def test_separable_predictions_leave_a_finite_temperature():
    found = calibrate(np.array([[9.0, 0], [0, 9]]), np.eye(2), multilabel=False)
    assert 0 < found.temperature < np.inf


def test_no_calibration_changes_nothing():
    nothing = Calibration.none(2)
    assert (nothing.temperature, nothing.thresholds) == (1.0, (0.5, 0.5))
