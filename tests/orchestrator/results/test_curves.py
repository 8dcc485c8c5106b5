"""curves.csv: written by every search, and by `consolidate` for a run that has none."""

import csv
from pathlib import Path

from orchestrator.results.curves import curves_csv
from orchestrator.simulation.recorded_curves import read_curves
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec


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


def test_a_metric_named_like_a_column_has_one_of_its_own_and_is_replayed_by_its_name(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=1, folds=1, sampler="random"), tmp_path / "run"))
    (fit,) = search.ledger.trials[0].fits.values()
    fit.metrics = {step: {**row, "step": 0.5, "config.x": 0.25} for step, row in fit.metrics.items()}
    curves = written(tmp_path / "curves.csv", curves_csv(search.ledger))
    rows = list(csv.DictReader(curves.read_text().splitlines()))
    assert ["1", "2", "3", "4"] == [row["step"] for row in rows]
    assert {("0.5", "0.25")} == {(row["metric.step"], row["metric.config.x"]) for row in rows}
    recorded = read_curves(curves).trials[0].fits[0, 0]
    assert fit.metrics == recorded
