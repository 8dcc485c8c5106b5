"""The table of curves: what a run writes is what a simulation reads, and each mistake is told with its line."""

import math
from pathlib import Path

import pytest

from orchestrator.errors import UserError
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.curves import curves_csv, write_curves
from orchestrator.simulation.nearest import distance, nearest_trial
from orchestrator.simulation.recorded_curves import RecordedTrial, read_curves
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

HEADER = "trial,seed,fold,step,state,score,config.x"
ROWS = ["0,0,0,1,complete,0.5,1.0", "0,0,0,2,complete,0.6,1.0", "1,0,0,1,complete,0.4,2.0", "1,0,0,2,complete,,2.0"]


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "curves.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_what_was_reported_is_read_again_to_the_last_digit(tmp_path: Path) -> None:
    spec = toy_spec(sampler="grid", trials=None, seeds=2, folds=2, space={"x": {"choice": [0.1, 0.3]}, "kind": "plain"})
    search = run_in_process(open_search(spec, tmp_path))
    write_curves(search.ledger, RunFolder(tmp_path))
    curves = read_curves(tmp_path / "curves.csv")
    assert ((0, 0), (0, 1), (1, 0), (1, 1)) == curves.fits
    assert (("score", "loss"), ("x", "kind")) == (curves.metrics, curves.hyperparameters)
    for number, trial in search.ledger.trials.items():
        told = {(key.seed, key.fold): fit.metrics for key, fit in trial.fits.items()}
        assert told == curves.trials[number].fits
        assert {"x": repr(trial.config["x"]), "kind": "plain"} == curves.trials[number].config


def test_what_was_pruned_or_failed_is_in_the_table_and_is_not_replayed(tmp_path: Path) -> None:
    halving = {"successive_halving": {"min_steps": 1, "factor": 2}}
    space = {"x": {"choice": [0.3, 0.9]}, "kind": {"choice": ["plain", "diverges"]}}
    search = run_in_process(open_search(toy_spec(sampler="grid", trials=None, prune=halving, space=space), tmp_path))
    write_curves(search.ledger, RunFolder(tmp_path))
    assert ",pruned," in curves_csv(search.ledger)
    assert ",failed,nan," in curves_csv(search.ledger)
    curves = read_curves(tmp_path / "curves.csv")
    assert ([0], 3) == (list(curves.trials), curves.left_out)


def test_a_metric_that_a_step_did_not_have_is_none_of_that_step(tmp_path: Path) -> None:
    assert {1: {"score": 0.4}, 2: {}} == read_curves(table(tmp_path, *ROWS)).trials[1].fits[0, 0]


@pytest.mark.parametrize(
    ("line", "row", "mistake"),
    [
        (2, "zero,0,0,1,complete,0.5,1.0", "trial: must be a whole number, got 'zero'; "),
        (2, "0,0,0,1,complete,good,1.0", "score: must be a number, or empty, got 'good'; "),
        (2, "0,0,0,1,won,0.5,1.0", "state: must be one of running, complete, pruned, "),
        (3, "0,0,0,3,complete,0.6,1.0", "step: must be 2, the next of this fit, got 3; are rows lost?"),
        (3, "0,0,0,2,complete,0.6,1.5", "config.*: must be the same in all rows of trial 0; was the file edited?"),
        (5, "1,0,0,2", "must have 7 cells, as the header has, got 4; was the file cut?"),
    ],
)
def test_a_mistake_in_a_row_is_told_with_its_line(tmp_path: Path, line: int, row: str, mistake: str) -> None:
    rows = [*ROWS[: line - 2], row, *ROWS[line - 1 :]]
    with pytest.raises(UserError) as caught:
        read_curves(table(tmp_path, *rows))
    assert str(caught.value).startswith(f"{tmp_path}/curves.csv:{line}: {mistake}")


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_curves(table(tmp_path, *["x,0,0,1,complete,0.5,1.0"] * 100))
    assert f"{tmp_path}/curves.csv: and 80 more; was it cut or edited?" == str(caught.value).splitlines()[-1]


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"curves\.csv:1: must have the columns trial, seed, .* lacks seed, fold, step"):
        read_curves(table(tmp_path, header="trial,state,mean"))
    with pytest.raises(UserError, match="no trial has all 1 fits complete, so there is nothing to replay"):
        read_curves(table(tmp_path, "0,0,0,1,pruned,0.5,1.0"))
    with pytest.raises(UserError, match=r"none\.csv: cannot be read \(No such file"):
        read_curves(tmp_path / "none.csv")


SPACE = toy_spec(
    space={
        "x": {"uniform": [-1, 1]},
        "learning_rate": {"log_uniform": [1e-4, 1e-2]},
        "kind": {"choice": ["plain", "bent"]},
        "turns": {"integer": [1, 4], "when": {"kind": "bent"}},
    }
).space


def test_a_dimension_counts_by_its_share_of_the_range_and_a_choice_by_being_equal() -> None:
    here = {"x": "0.0", "learning_rate": "0.001", "kind": "plain"}
    assert 0 == distance(SPACE, here, {**here, "x": "0"}), "the same number, written otherwise"
    assert distance(SPACE, here, {**here, "x": "0.5"}) == pytest.approx(0.25)
    assert distance(SPACE, here, {**here, "learning_rate": "0.01"}) == pytest.approx(0.5)
    assert distance(SPACE, here, {**here, "kind": "bent", "turns": "2"}) == pytest.approx(math.sqrt(2))


def test_the_first_of_equally_near_trials_stands() -> None:
    trials = {number: RecordedTrial(number, {"x": text}) for number, text in ((7, "0.5"), (2, "-0.5"), (3, "0.9"))}
    space = {"x": SPACE["x"]}
    assert (2, 0.25) == ((found := nearest_trial(space, {"x": 0.0}, trials))[0].number, found[1])
    assert 3 == nearest_trial(space, {"x": 0.8}, trials)[0].number
