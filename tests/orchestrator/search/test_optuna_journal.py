"""A run as Optuna's own tools read it, and the command that shows it in Optuna's dashboard."""

from importlib.util import find_spec
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from orchestrator.history.run_folder import RunFolder
from orchestrator.search.optuna_journal import write_optuna_journal
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec
from tests.orchestrator.without_ray import orchestrate_here


def study_in(path: Path, name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage=JournalStorage(JournalFileBackend(str(path))))


def test_every_finished_trial_is_there_with_its_value_its_ranges_and_its_curve(tmp_path: Path) -> None:
    space = {"kind": {"choice": ["plain", "raises"]}, "x": {"uniform": [-1, 1]}}
    search = run_in_process(open_search(toy_spec(sampler="random", trials=6, space=space), tmp_path / "run"))
    write_optuna_journal(tmp_path / "optuna.journal", {"run": search.ledger})
    study = study_in(tmp_path / "optuna.journal", "run")
    told = search.ledger.told()
    assert optuna.study.StudyDirection.MAXIMIZE is study.direction
    assert [trial.value for trial in told] == [one.value for one in study.trials if one]
    assert {TrialState.COMPLETE, TrialState.FAIL} == {one.state for one in study.trials}
    for trial, one in zip(told, study.trials, strict=True):
        assert {"kind", "x"} == set(one.params)
        assert trial.config["x"] == one.params["x"]
        assert trial.number == one.user_attrs["trial"]
    best = study.best_trial
    assert [1, 2, 3, 4] == list(best.intermediate_values)
    assert best.number == search.ledger.ranked()[0].number


def test_a_default_outside_the_ranges_is_there_without_them(tmp_path: Path) -> None:
    space = {"x": {"uniform": [0.5, 1]}}
    search = run_in_process(
        open_search(toy_spec(sampler="random", trials=2, baseline=True, space=space), tmp_path / "run")
    )
    write_optuna_journal(tmp_path / "optuna.journal", {"run": search.ledger})
    default, drawn = study_in(tmp_path / "optuna.journal", "run").trials
    assert ({}, 0.0, "default") == (default.params, default.user_attrs["x"], default.user_attrs["origin"])
    assert {"x"} == set(drawn.params)


@pytest.mark.skipif(find_spec("optuna_dashboard") is not None, reason="optuna-dashboard is installed: it would run on")
def test_the_command_writes_a_study_for_each_search_and_says_what_shows_it(tmp_path: Path) -> None:
    space, runs = written(tmp_path / "space.yaml", toy_search()), tmp_path / "runs"
    assert 0 == orchestrate_here("search", "--space", space, "--name", "one", "--runs", runs).returncode
    for _ in range(2):  # again, it is written anew
        done = orchestrate_here("dashboard", "one", "--runs", runs)
        assert 0 == done.returncode, done.stderr
        assert "pip install 'orchestrate[dashboard]'" in done.stdout
        assert 2 == len(study_in(RunFolder(runs / "one").optuna, "one").trials)
