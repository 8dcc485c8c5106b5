import numpy as np

from ecgcore.reporting.wrong_answers import wrong_answers


def found(scores, called, labels, patients, *, multilabel):
    answers = wrong_answers(
        np.array(scores), np.array(called, bool), np.array(labels, float), patients, multilabel=multilabel
    )
    return [(answer.index, answer.class_index, round(answer.claimed, 6)) for answer in answers]


def test_of_one_label_the_most_confident_wrong_class_is_first_and_a_patient_is_there_once():
    scores = [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]]
    called = [[1, 0], [0, 1], [0, 1], [1, 0]]
    labels = [[1, 0], [1, 0], [1, 0], [0, 1]]
    assert found(scores, called, labels, "abbc", multilabel=False) == [(2, 1, 0.8), (3, 0, 0.6)]


def test_of_several_labels_a_missed_class_counts_as_much_as_a_wrongly_called_one():
    """The first misses a class that it said to be absent with .95; the second calls one of .9."""
    scores, called = [[0.05, 0.8], [0.9, 0.2]], [[0, 1], [1, 0]]
    labels = [[1, 0], [0, 0]]
    assert found(scores, called, labels, "ab", multilabel=True) == [(0, 0, 0.95), (1, 0, 0.9)]
    assert found(scores, labels, labels, "ab", multilabel=True) == []
