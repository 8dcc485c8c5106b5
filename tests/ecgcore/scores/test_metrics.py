import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from ecgcore.scores.metrics import (
    accuracy,
    calibration_error,
    class_auc,
    class_f1,
    collapsed,
    confusion,
    decide,
    macro_auc,
    macro_f1,
    summary,
)
from ecgcore.scores.names import SCORES

LABELS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], np.float32)
ANSWERS = np.array([[0.9, 0.2, 0.1], [0.4, 0.8, 0.1], [0.3, 0.6, 0.7], [0.2, 0.1, 0.4]])


def test_macro_auc_is_over_classes_that_some_have_and_some_have_not():
    expected = roc_auc_score(LABELS[:, :2], ANSWERS[:, :2], average="macro")
    assert macro_auc(ANSWERS, LABELS) == pytest.approx(expected)
    assert np.isnan(class_auc(ANSWERS, LABELS)).tolist() == [False, False, True]


def test_without_such_a_class_there_is_no_macro_auc():
    with pytest.raises(ValueError, match=r"no class has both .* among 2; make splits with more records"):
        macro_auc(ANSWERS[:2], np.ones((2, 3), np.float32))


def test_several_labels_are_called_by_threshold_and_one_by_the_largest():
    assert decide(ANSWERS, multilabel=True).astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert decide(ANSWERS, multilabel=True, thresholds=(0.3, 0.7, 0.7))[2].tolist() == [True, False, True]
    assert decide(ANSWERS, multilabel=False).argmax(axis=1).tolist() == [0, 1, 2, 2]


def test_f1_is_scikit_learns_and_nan_where_there_is_nothing():
    called = decide(ANSWERS, multilabel=True)
    assert class_f1(called, LABELS) == pytest.approx(f1_score(LABELS, called, average=None))
    assert np.isnan(class_f1(np.zeros((4, 3), bool), LABELS)[2])
    assert macro_f1(np.zeros((4, 3), bool), LABELS) == 0


def test_accuracy_asks_for_every_class_of_a_record():
    assert accuracy(decide(ANSWERS, multilabel=True), LABELS) == 0.75


def test_every_score_is_scikit_learns():
    random = np.random.default_rng(0)
    labels = (random.random((200, 3)) < 0.3).astype(np.float32)
    scores = np.clip(labels * 0.3 + random.random((200, 3)) * 0.7, 0, 1)
    called = decide(scores, multilabel=True)
    found = summary(scores, called, labels, multilabel=True)
    assert found["macro_auc"] == pytest.approx(roc_auc_score(labels, scores, average="macro"))
    assert found["macro_pr_auc"] == pytest.approx(average_precision_score(labels, scores, average="macro"))
    assert found["macro_f1"] == pytest.approx(f1_score(labels, called, average="macro"))
    assert found["macro_precision"] == pytest.approx(precision_score(labels, called, average="macro"))
    assert found["macro_recall"] == pytest.approx(recall_score(labels, called, average="macro"))
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, called))
    assert set(found) == set(SCORES)


def test_a_class_that_is_there_and_never_called_has_precision_zero_in_the_mean():
    labels = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
    scores = np.tile([0.9, 0.1], (4, 1))
    found = summary(scores, decide(scores, multilabel=False), labels, multilabel=False)
    assert found["macro_precision"] == 0.25
    assert found["macro_recall"] == 0.5
    assert found["collapsed"] == 1


def test_a_run_that_calls_every_record_the_same_is_flagged():
    calls = np.array([[True, False], [True, False], [True, False]])
    assert collapsed(calls)
    assert collapsed(np.zeros((3, 2), bool))
    calls[1] = True
    assert not collapsed(calls)
    assert not collapsed(calls[:1])  # of one record nothing can be said


def test_only_classes_that_could_be_learnt_are_averaged():
    found = summary(
        ANSWERS, decide(ANSWERS, multilabel=True), LABELS, multilabel=True, classes=np.array([True, False, False])
    )
    assert found["macro_auc"] == class_auc(ANSWERS, LABELS)[0]


def test_confusion_counts_true_classes_in_rows():
    labels = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    called = np.eye(3, dtype=bool)[[0, 1, 1, 0]]
    assert confusion(called, labels).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_calibration_error_is_nothing_for_probabilities_that_are_true_and_known_for_those_that_are_not(seed):
    """Labels drawn with the probabilities stated; then the same probabilities claimed .2 too high."""
    random = np.random.default_rng(seed)
    true = random.uniform(0.1, 0.7, (20_000, 2))
    labels = (random.random(true.shape) < true).astype(np.float32)
    assert calibration_error(true, labels, multilabel=True) < 0.025
    assert calibration_error(true + 0.2, labels, multilabel=True) == pytest.approx(0.2, abs=0.02)


def test_of_one_label_the_calibration_error_is_of_the_class_that_is_called():
    scores = np.tile([0.8, 0.2], (10, 1))
    labels = np.eye(2, dtype=np.float32)[[0] * 5 + [1] * 5]
    assert calibration_error(scores, labels, multilabel=False) == pytest.approx(0.3)
