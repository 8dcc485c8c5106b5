"""curves.csv: written by every search, and by `consolidate` for a run that has none."""

import csv
from pathlib import Path

from tests.orchestrator.command import orchestrate, toy_search, written


def test_a_search_writes_the_curves_of_its_fits_and_consolidate_writes_them_again(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search(folds=2))
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs", "--executor", "in-process")
    assert 0 == done.returncode, done.stderr
    curves = tmp_path / "runs" / "toy" / "curves.csv"
    text = curves.read_text()
    rows = list(csv.DictReader(text.splitlines()))
    fits = [(trial, fold) for trial in "01" for fold in "01"]
    assert [(*fit, step) for fit in fits for step in "123"] == [
        (row["trial"], row["fold"], row["step"]) for row in rows
    ]
    assert {"0": "0.1", "1": "0.3"} == {row["trial"]: row["config.x"] for row in rows}
    assert ["1.0", "0.5"] == [row["loss"] for row in rows[:2]]

    curves.unlink()
    assert 0 == orchestrate("consolidate", "toy", "--runs", tmp_path / "runs").returncode
    assert text == curves.read_text()
