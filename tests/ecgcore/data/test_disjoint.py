import pytest

from ecgcore.data.disjoint import Members, assert_disjoint


def test_parts_that_share_nobody_pass():
    assert_disjoint({"train": Members(["a", "a"], [1, 2]), "test": Members(["b"], [3])})


def test_every_shared_patient_and_signal_is_named_with_both_parts():
    parts = {
        "train": Members(["anna", "bert"], [1, 2]),
        "validation": Members(["carl"], [-2]),
        "test": Members(["anna"], [-2]),
    }

    with pytest.raises(ValueError, match="share") as raised:
        assert_disjoint(parts)

    assert str(raised.value).splitlines() == [
        "no patient may be in two parts, but train and test share 1: anna",
        "no signal may be in two parts, but validation and test share 1: fffffffffffffffe",
    ]


def test_many_shared_patients_are_counted_and_some_named():
    names = [f"p{number}" for number in range(9)]

    with pytest.raises(ValueError, match=r"share 9: p0, p1, p2, p3, p4, \.\.\."):
        assert_disjoint({"train": Members(names, []), "test": Members(names, [])})
