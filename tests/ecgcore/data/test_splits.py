from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.data.automatic_folds import automatic_folds
from ecgcore.data.groups import linked
from ecgcore.data.splits import SplitRule, divide


def divided(patients, *, classes=2, given=None, signals=None, rule=None, labels=None):
    n = len(patients)
    chosen = np.arange(n) % classes if labels is None else np.array(labels)
    return divide(
        patients=patients,
        signals=np.arange(n) if signals is None else np.array(signals),
        labels=np.eye(classes, dtype=np.float32)[chosen],
        given=given or [""] * n,
        rule=rule or SplitRule(),
    )


def names(patients, part):
    return {patients[index] for index in part}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), folds=st.integers(1, 4), share=st.sampled_from([0, 0.1, 0.2, 1 / 3]))
def test_drawn_parts_share_no_patient_and_no_signal_and_hold_everybody(seed, folds, share):
    rng = np.random.default_rng(seed)
    patients = [f"p{number}" for number in rng.integers(0, 60, 150)]
    signals = np.arange(150)
    signals[rng.integers(0, 150, 8)] = signals[rng.integers(0, 150, 8)]  # copies, most of them of another patient's

    division = divided(patients, signals=signals, rule=SplitRule(folds=folds, test_share=share, seed=seed))

    assert len(division.splits) == folds
    assert not division.dropped
    for split in division.splits:
        parts = [division.test, split.train, split.validation]
        assert sorted(np.concatenate(parts)) == list(range(150))
        for one, other in [(0, 1), (0, 2), (1, 2)]:
            assert not names(patients, parts[one]) & names(patients, parts[other])
            assert not set(signals[parts[one]]) & set(signals[parts[other]])


def test_folds_hold_out_everybody_once():
    division = divided([f"p{i // 2}" for i in range(120)], rule=SplitRule(folds=4))

    held_out = np.concatenate([split.validation for split in division.splits])
    assert sorted([*held_out, *division.test]) == list(range(120))


def test_classes_are_balanced_over_drawn_parts():
    labels = [0] * 160 + [1] * 40

    division = divided([f"p{i}" for i in range(200)], labels=labels, rule=SplitRule(folds=4))

    for part in [division.test, *(split.validation for split in division.splits)]:
        assert np.mean(np.array(labels)[part]) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("share", [0.05, 0.15, 0.2, 0.3])
def test_the_test_part_has_the_share_asked_for(share):
    division = divided([f"p{i}" for i in range(400)], rule=SplitRule(test_share=share))

    assert len(division.test) / 400 == pytest.approx(share, abs=0.02)


def test_equal_seeds_divide_equally_and_others_do_not():
    patients = [f"p{i}" for i in range(100)]

    one, same, other = (divided(patients, rule=SplitRule(folds=3, seed=seed)) for seed in (1, 1, 2))

    assert np.array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)


def test_named_folds_are_used_as_named_and_the_rest_is_left_out():
    given = ["1", "2", "7", "9", "10"] * 2
    rule = SplitRule(train=("1", "2"), validation=("7",), test=("9",))

    division = divided([f"p{i}" for i in range(10)], given=given, rule=rule)

    (split,) = division.splits
    assert split.train.tolist() == [0, 1, 5, 6]
    assert (split.validation.tolist(), division.test.tolist()) == ([2, 7], [3, 8])
    assert division.dropped == {4: "fold 10 was not asked for", 9: "fold 10 was not asked for"}


def test_a_copy_is_dropped_from_train_and_validation_and_never_from_test():
    given = ["1", "1", "1", "2", "2", "3", "3"]
    signals = [0, 1, 9, 1, 2, 2, 0]
    rule = SplitRule(train=("1",), validation=("2",), test=("3",))

    division = divided(list("abcdefg"), given=given, signals=signals, rule=rule)

    (split,) = division.splits
    assert (split.train.tolist(), split.validation.tolist(), division.test.tolist()) == ([2], [3], [5, 6])
    assert division.dropped == {
        0: "the same signal is in the test part",
        1: "the same signal is in the validation part",
        4: "the same signal is in the test part",
    }


def test_a_patient_in_two_given_folds_is_refused_by_name():
    rule = SplitRule(train=("1",), validation=("2",))

    with pytest.raises(ValueError, match="train of fold 0 and validation of fold 0 share 1: anna"):
        divided(["anna", "anna", "bert"], given=["1", "2", "1"], rule=rule)


def test_folds_of_a_table_are_held_out_in_turn():
    given = ["test", "a", "a", "b", "b", "c"]

    division = divided([f"p{i}" for i in range(6)], given=given)

    assert division.test.tolist() == [0]
    assert [split.validation.tolist() for split in division.splits] == [[1, 2], [3, 4], [5]]


def test_a_table_may_say_train_and_validation():
    division = divided(list("abcd"), given=["train", "train", "validation", "test"])

    assert [(split.train.tolist(), split.validation.tolist()) for split in division.splits] == [([0, 1], [2])]


def test_parts_that_a_table_names_are_not_drawn_anew():
    given = ["train", "train", "validation", "test"]

    with pytest.raises(ValueError, match=r"--folds 3 draws .* \(fold train and validation\); leave --folds out"):
        divided(list("abcd"), given=given, rule=SplitRule(folds=3))


def test_a_table_with_some_folds_missing_is_refused():
    with pytest.raises(ValueError, match="either every record has a fold or none has"):
        divided(list("abcd"), given=["a", "b", "", "test"])


def test_a_fold_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="11 has none; the folds are: 1, 2"):
        divided(list("ab"), given=["1", "2"], rule=SplitRule(train=("1",), validation=("11",)))


def test_more_folds_than_patients_are_refused():
    with pytest.raises(ValueError, match="9 parts need 9 patients or more, but there are 8"):
        divided([f"p{i}" for i in range(8)], rule=SplitRule(folds=9, test_share=0))


@pytest.mark.parametrize("share", [0.01, 0.049, -0.1, 0.6, float("nan")])
def test_a_test_share_that_cannot_be_drawn_is_refused(share):
    with pytest.raises(ValueError, match=r"--test-share must be 0 \(no test part\) or from 0\.05 to 0\.5, but got"):
        SplitRule(test_share=share)


def test_all_mistakes_of_a_rule_are_told_at_once():
    with pytest.raises(ValueError, match="--folds must be") as raised:
        SplitRule(folds=0, test_share=0.9, train=("1", "1"), validation=())

    assert len(str(raised.value).splitlines()) == 5


def test_records_are_linked_through_others():
    assert linked([["a"], ["a", "b"], ["c"], ["b"], []]).tolist() == [0, 0, 1, 0, 2]


def test_repeated_folds_are_drawn_anew_each_time():
    division = divided([f"p{i // 2}" for i in range(120)], rule=SplitRule(folds=3, repeats=2, seed=4))
    again = divided([f"p{i // 2}" for i in range(120)], rule=SplitRule(folds=3, repeats=2, seed=4))

    held_out = [split.validation.tolist() for split in division.splits]
    assert len(held_out) == 6
    for repeat in (held_out[:3], held_out[3:]):
        assert sorted([*chain(*repeat), *division.test]) == list(range(120))
    assert not set(map(tuple, held_out[:3])) & set(map(tuple, held_out[3:]))
    assert held_out == [split.validation.tolist() for split in again.splits]


def test_repeats_without_folds_to_draw_are_refused():
    with pytest.raises(ValueError, match="--repeats must be from 1 to 1000, and needs --folds, but got 3"):
        SplitRule(repeats=3)


@pytest.mark.parametrize(
    ("people", "folds", "repeats"), [(60, 5, 3), (3, 3, 1), (400, 5, 3), (500, 5, 2), (1200, 5, 1), (5000, 3, 1)]
)
def test_automatic_folds_are_repeated_where_people_are_few(people, folds, repeats):
    assert automatic_folds(people) == (folds, repeats)
    if people <= 1200:
        patients = [f"p{i // 2}" for i in range(2 * people)]
        division = divided(patients, rule=SplitRule(folds="auto", test_share=0))
        assert len(division.splits) == folds * repeats
        for begin in range(0, folds * repeats, folds):
            held = np.concatenate([split.validation for split in division.splits[begin : begin + folds]])
            assert sorted(held) == list(range(2 * people))
        assert len({tuple(split.validation) for split in division.splits}) == folds * repeats


def test_of_very_many_people_one_part_is_held_out():
    assert automatic_folds(10_000) == (1, 1)


@pytest.mark.parametrize("people", range(6, 12_000, 97))
def test_automatic_folds_judge_a_thousand_people_or_as_many_as_three_repeats_can(people):
    folds, repeats = automatic_folds(people)
    judged = people * repeats / (5 if folds == 1 else 1)
    assert judged >= 1000 or repeats == 3


def test_what_automatic_folds_say_is_not_said_twice():
    with pytest.raises(ValueError, match="--folds auto says how often they are drawn, too: leave --repeats 2 out"):
        SplitRule(folds="auto", repeats=2)
