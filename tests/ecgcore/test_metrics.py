import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from ecgcore.metrics import accuracy, class_auc, class_f1, decide, macro_auc, macro_f1

LABELS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], np.float32)
SCORES = np.array([[0.9, 0.2, 0.1], [0.4, 0.8, 0.1], [0.3, 0.6, 0.7], [0.2, 0.1, 0.4]])


def test_macro_auc_is_over_classes_that_some_have_and_some_have_not():
    expected = roc_auc_score(LABELS[:, :2], SCORES[:, :2], average="macro")
    assert macro_auc(SCORES, LABELS) == pytest.approx(expected)
    assert np.isnan(class_auc(SCORES, LABELS)).tolist() == [False, False, True]


def test_without_such_a_class_there_is_no_macro_auc():
    with pytest.raises(ValueError, match=r"no class has both .* among 2; make splits with more records"):
        macro_auc(SCORES[:2], np.ones((2, 3), np.float32))


def test_several_labels_are_called_by_threshold_and_one_by_the_largest():
    assert decide(SCORES, multilabel=True).astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert decide(SCORES, multilabel=True, thresholds=(0.3, 0.7, 0.7))[2].tolist() == [True, False, True]
    assert decide(SCORES, multilabel=False).argmax(axis=1).tolist() == [0, 1, 2, 2]


def test_f1_is_scikit_learns_and_nan_where_there_is_nothing():
    called = decide(SCORES, multilabel=True)
    assert class_f1(called, LABELS) == pytest.approx(f1_score(LABELS, called, average=None))
    assert np.isnan(class_f1(np.zeros((4, 3), bool), LABELS)[2])
    assert macro_f1(np.zeros((4, 3), bool), LABELS) == 0


def test_accuracy_asks_for_every_class_of_a_record():
    assert accuracy(decide(SCORES, multilabel=True), LABELS) == 0.75
