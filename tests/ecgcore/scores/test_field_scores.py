"""The fields' own scores, against values by hand."""

import numpy as np
import pytest

from ecgcore.scores.field_scores import aami_scores, cinc2017_f1, field_scores, recall_at_capacity

RHYTHMS = ("A", "N", "O", "noise")
BEATS = ("N", "S", "V", "F", "Q")


def of_each(text: str, classes: tuple[str, ...]) -> np.ndarray:
    """One letter a record; ~ is noise."""
    letters = text.replace("~", "n")
    return np.array([[name == ("noise" if letter == "n" else letter) for name in classes] for letter in letters])


def test_the_final_score_of_2017_is_the_mean_f1_of_three_of_its_four_classes():
    """By hand: N 2 x 2 / (3 + 3), A 2 x 1 / (2 + 1), O 2 x 1 / (1 + 3); noise called O, and O called so, lower O's."""
    labels, called = of_each("NNNAAO~", RHYTHMS), of_each("NNONAOO", RHYTHMS)
    by_hand = (4 / 6 + 2 / 3 + 2 / 4) / 3

    assert cinc2017_f1(called, labels.astype(np.float32), RHYTHMS) == pytest.approx(by_hand)


def test_the_aami_forgives_fusions_called_ventricular_and_what_nobody_can_classify():
    """Rows are what a beat is, columns what it is called. V: of 14 called, 2 F and 1 Q do not count."""
    counts = np.array([[90, 4, 3, 2, 1], [3, 5, 1, 0, 0], [1, 1, 7, 1, 0], [1, 1, 2, 4, 0], [0, 2, 1, 0, 0]])

    found = aami_scores(counts, BEATS)

    assert found["N"] == pytest.approx((90 / 100, 90 / 95))
    assert found["S"] == pytest.approx((5 / 9, 5 / 11))  # of 13 called, 2 Q do not count
    assert found["V"] == pytest.approx((7 / 10, 7 / 11))
    assert found["F"] == pytest.approx((4 / 8, 4 / 7))
    assert found["Q"] == pytest.approx((0, 0))  # none of 3 found, and of 1 called none right


def test_a_class_without_beats_or_calls_has_no_score():
    found = aami_scores(np.array([[5, 0, 0], [0, 0, 0], [1, 0, 0]]), ("N", "S", "V"))
    assert found["S"] == pytest.approx((np.nan, np.nan), nan_ok=True)
    assert found["V"] == pytest.approx((0, np.nan), nan_ok=True)


def test_the_score_of_2025_is_the_recall_among_the_first_twentieth():
    """60 records, three of which may be tested; four are ill, at places 1, 3, 4 and 60."""
    labels = np.zeros(60)
    labels[[0, 2, 3, 59]] = 1
    assert recall_at_capacity(np.linspace(1, 0, 60), labels) == pytest.approx(2 / 4)
    assert recall_at_capacity(np.linspace(0, 1, 60), labels) == pytest.approx(1 / 4)


def test_equal_scores_across_the_bound_count_as_chance_would_choose_among_them():
    """One lies above; the other two places are drawn from five, of whom two are ill."""
    scores, labels = np.zeros(60), np.zeros(60)
    scores[0], scores[1:6] = 0.9, 0.5
    labels[[0, 1, 2, 59]] = 1
    assert recall_at_capacity(scores, labels) == pytest.approx((1 + 2 / 5 * 2) / 4)
    assert recall_at_capacity(np.zeros(60), labels) == pytest.approx(0.05)


def test_the_capacity_is_rounded_down_and_its_float_is_not():
    labels = np.ones(39)
    assert recall_at_capacity(np.arange(39.0), labels) == pytest.approx(1 / 39)
    assert recall_at_capacity(np.arange(60.0), np.ones(60)) == pytest.approx(3 / 60)
    assert recall_at_capacity(np.arange(19.0), np.ones(19)) == pytest.approx(np.nan, nan_ok=True)
    assert recall_at_capacity(np.arange(60.0), np.zeros(60)) == pytest.approx(np.nan, nan_ok=True)


@pytest.mark.parametrize(
    ("classes", "multilabel", "expected"),
    [
        (("A", "N", "O", "noise"), False, {"cinc2017_f1"}),
        (("A", "N", "O"), False, {"cinc2017_f1"}),
        (("A", "N", "O"), True, set()),
        (("A", "N", "O", "X"), False, set()),
        (
            ("N", "S", "V"),
            False,
            {f"{kind}_{name}" for kind in ("sensitivity", "positive_predictivity") for name in "NSV"},
        ),
        (("N", "S", "W"), False, set()),
    ],
)
def test_a_fields_scores_are_given_where_the_classes_are_its_own(classes, multilabel, expected):
    labels = np.eye(len(classes))[np.arange(24) % len(classes)]
    assert expected == set(field_scores(labels, labels > 0.5, labels, classes, multilabel=multilabel))


@pytest.mark.parametrize(("records", "there"), [(19, False), (20, True)])
def test_the_recall_among_those_who_are_tested_is_given_where_there_are_the_ill_and_the_rest(records, there):
    labels = np.eye(2)[np.arange(records) % 2]
    given = field_scores(labels, labels > 0.5, labels, ("chagas", "none"), multilabel=False)
    assert there is ("top_5_percent_recall_chagas" in given)
