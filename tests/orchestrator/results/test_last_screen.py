"""What is printed of a test."""

from typing import Any

import pytest

from orchestrator.results.last_screen import test_lines as lines_of

TESTED: dict[str, Any] = {"what": "trial 1 of s", "note": "", "metrics": {"macro_auc": 0.7}}


@pytest.mark.parametrize(
    ("value", "line"),
    [(0.0, "collapsed            0 (not every record gets the same answer)"),
     (1.0, "collapsed            1 (every record gets the same answer)")],
)  # fmt: skip
def test_collapsed_is_explained_where_it_is_shown(value: float, line: str) -> None:
    assert f"  {line}" in lines_of({**TESTED, "metrics": {"macro_auc": 0.7, "collapsed": value}})


def test_what_is_to_be_said_of_a_winners_length_stands_above_its_scores_and_earlier_tests_are_still_told() -> None:
    said = lines_of({**TESTED, "length": "its fits were best after step 1 of 20"})
    assert ["test: trial 1 of s", "  NOTE its fits were best after step 1 of 20"] == said[:2]
    assert ["test: trial 1 of s", "  macro_auc            0.7000"] == lines_of(TESTED)
