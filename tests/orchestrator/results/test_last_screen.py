"""What is printed at the end of a command."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.results.last_screen import test_lines as lines_of
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

TESTED: dict[str, Any] = {"what": "trial 1 of s", "note": "", "metrics": {"macro_auc": 0.7}}


@pytest.mark.parametrize(("value", "said"), [(0.0, False), (1.0, True)])
def test_a_model_that_answers_every_record_alike_is_told_loudly(value: float, said: bool) -> None:
    lines = lines_of({**TESTED, "metrics": {"macro_auc": 0.7, "collapsed": value}}, "macro_auc")
    assert said == ("  WARNING every record gets the same answer" in lines)


def test_what_is_to_be_said_of_a_winners_length_stands_below_its_scores_and_earlier_tests_are_still_told() -> None:
    said = lines_of({**TESTED, "length": "its fits were best after step 1 of 20"}, "macro_auc")
    assert ["test: trial 1 of s", "  macro_auc .700", "  NOTE its fits were best after step 1 of 20"] == said
    assert ["test: trial 1 of s", "  macro_auc .700"] == lines_of(TESTED, "macro_auc")


def test_of_many_scores_those_are_told_that_were_asked_for_or_have_an_interval() -> None:
    many = {"macro_auc": 0.9, "macro_auc_low": 0.8, "macro_auc_high": 0.95, "accuracy": 0.5, "confusion_a_b": 3.0}
    assert "  accuracy .500, macro_auc .900 [.800, .950]" == lines_of({**TESTED, "metrics": many}, "accuracy")[1]
    assert "  macro_auc .900 [.800, .950]" == lines_of({**TESTED, "metrics": many}, None)[1]


def test_a_search_ends_in_about_ten_lines_that_begin_with_the_question_and_end_with_where_to_read_on(
    tmp_path: Path,
) -> None:
    space = {"x": {"choice": [0.3, 0.9, -0.5]}}
    search = written(tmp_path / "s.yaml", toy_search(space=space, baseline=True, seeds=3, folds=1))
    done = orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs")
    lines = done.stdout.splitlines()
    told = lines[lines.index("Does tuning s on ToyTask beat its untuned default?") :]
    assert len(told) <= 10
    assert told[1].startswith("  Yes, by validation: score +.0")
    assert told[1].endswith("; not tested yet.")
    assert told[2].startswith("winner: trial 1, validation score .6")
    assert [f"table {tmp_path}/runs/s/table.csv", f"page {tmp_path}/runs/s/report.html"] == told[-3:-1]
    assert told[-1].startswith("MLflow ")


def test_a_search_that_found_nothing_says_no(tmp_path: Path) -> None:
    search = written(tmp_path / "s.yaml", toy_search(space={"x": {"choice": [2.0, -2.0]}}, baseline=True, seeds=3))
    done = orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs")
    assert "  No: the untuned default is kept (validation score .5" in done.stdout
