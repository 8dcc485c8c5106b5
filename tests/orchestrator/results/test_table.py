"""What the table says beside scores."""

import csv
from pathlib import Path

from orchestrator.results.table import rows_of, table_csv
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec
from tests.orchestrator.results.as_markdown_of import table_markdown


def test_a_trial_whose_fits_answer_the_same_for_all_is_flagged_and_no_other(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=2, folds=2, sampler="random"), tmp_path / "run"))
    assert "collapsed" not in table_csv({"run": rows_of(search.ledger, alive=False)})
    fit = next(iter(search.ledger.trials[1].fits.values()))
    fit.metrics = {step: {**metrics, "collapsed": 1.0} for step, metrics in fit.metrics.items()}
    first, second = rows_of(search.ledger, alive=False)
    assert "collapsed" not in first
    assert second["collapsed"] == "1 of 2 fits"
    assert "1 of 2 fits" in table_csv({"run": [first, second]})
    explained = "\ncollapsed: every record gets the same answer\n"
    for rows, told in (([first, second], True), ([first], False)):
        assert told == (explained in table_markdown({"run": rows}, title="r", mode="max", judged_at="its last step"))


def test_with_mode_min_the_smallest_mean_stands_first_and_what_has_none_last(tmp_path: Path) -> None:
    space = {"kind": {"choice": ["raises", "plain", "bent"]}}
    search = run_in_process(open_search(toy_spec(sampler="grid", trials=None, space=space), tmp_path / "run"))
    rows = rows_of(search.ledger, alive=False)
    rows[1]["mean"], rows[2]["mean"] = "0.7", "0.2"
    for mode, first in (("min", ["2", "1", "0"]), ("max", ["1", "2", "0"])):
        text = table_markdown({"run": rows}, title="r", mode=mode, judged_at="its last step")
        assert first == [line.split("|")[1].strip() for line in text.splitlines()[4:7]]


def test_a_hyperparameter_named_like_a_column_has_one_of_its_own(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=1, folds=1, sampler="random"), tmp_path / "run"))
    trial = search.ledger.trials[0]
    trial.config = {"x": 0.25, "state": "solid", "mean": 7.0, "run": "long", "group": "b", "collapsed": "no"}
    (row,) = rows_of(search.ledger, alive=False)
    assert ("complete", "solid") == (row["state"], row["config.state"])
    both = {"one": [row], "two": [row]}
    written = list(csv.DictReader(table_csv(both, groups={"one": 1, "two": 2}).splitlines()))
    assert [("one", "1", "long", "b"), ("two", "2", "long", "b")] == [
        (line["run"], line["group"], line["config.run"], line["config.group"]) for line in written
    ]
    assert f"{trial.value:.4f}" in table_markdown(both, title="r", mode="max", judged_at="its last step")
    assert ("7.0", "no", "0.25") == (row["config.mean"], row["config.collapsed"], row["x"])
