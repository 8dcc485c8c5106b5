import numpy as np
import pytest

from ecgcore.scores.metrics import decide
from ecgcore.scores.rejection import rejection_curve


def test_leaving_out_the_least_sure_answers_first_leaves_the_right_ones():
    """Ten records of two classes, the five least sure of which are wrong."""
    labels = np.eye(2)[[0, 1] * 5]
    sure = np.linspace(0.99, 0.6, 10)[:, None]
    right = np.arange(10) < 5
    scores = np.where(labels == right[:, None], sure, 1 - sure)
    curve = rejection_curve(scores, decide(scores, multilabel=False), labels)
    assert curve["accuracy_at_coverage_50"] == curve["macro_f1_at_coverage_50"] == 1.0
    assert curve["accuracy_at_coverage_80"] == pytest.approx(5 / 8)
    assert curve["accuracy_at_coverage_90"] == pytest.approx(5 / 9)


def test_a_class_that_is_never_answered_does_not_leave_the_mean() -> None:
    """The rare class is called wrong and unsure each time: to leave its records to a person does not make up for it."""
    labels = np.eye(3)[[0] * 50 + [1] * 40 + [2] * 10]
    scores = np.where(labels > 0, 0.9, 0.05)
    scores[90:] = [0.4, 0.35, 0.25]
    curve = rejection_curve(scores, decide(scores, multilabel=False), labels)
    assert curve["accuracy_at_coverage_90"] == 1.0
    assert curve["macro_f1_at_coverage_90"] == pytest.approx(2 / 3)


def test_confidence_is_that_of_the_class_that_is_called():
    """By thresholds the second record is called its less probable class: it is the less sure answer of the two."""
    scores, labels = np.array([[0.6, 0.4], [0.7, 0.3]]), np.array([[1.0, 0], [1, 0]])
    called = np.array([[True, False], [False, True]])
    assert rejection_curve(scores, called, labels)["accuracy_at_coverage_50"] == 1.0
