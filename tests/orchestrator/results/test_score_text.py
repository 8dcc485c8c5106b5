"""Numbers as people read them."""

import math

import pytest

from orchestrator.results.score_text import duration, score, value_text, with_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8479, ".848"), (1.0, "1.000"), (-0.04, "-.040"), (0.0, ".000"), (-0.0001, ".000"), (1234.5, "1234"),
     (math.nan, "nan")],
)  # fmt: skip
def test_a_score_has_three_digits_and_no_zero_that_says_nothing(value: float, text: str) -> None:
    assert text == score(value)


def test_an_interval_stands_in_brackets_where_there_is_one() -> None:
    assert ".500 [.400, .600]" == with_interval(0.5, 0.4, 0.6)
    assert ".500" == with_interval(0.5, None, None)
    assert "+.050 [-.010, +.110]" == with_interval(0.05, -0.01, 0.11, signed=True)


def test_times_and_values_are_short() -> None:
    assert ["48 s", "12 min", "3.4 h"] == [duration(48), duration(720), duration(12240)]
    assert ["0.006888", "yes", "not used", "16"] == [value_text(one) for one in (0.006888301541, True, None, 16)]
