"""How long a fit is trained, as a dimension of the space: `max_steps`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from orchestrator.errors import UserError
from orchestrator.history.records import FitKey, State
from orchestrator.runs.plan import plan
from orchestrator.task import Scalar
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec
from tests.orchestrator.without_ray import orchestrate_here
from tests.toy_task import ToyParameter, ToyTask

STEPS = {"max_steps": {"choice": [2, 4, 8]}}
TASK = "tests.orchestrator.search.test_steps:TaskWithSteps"
PRUNED = {"prune": {"successive_halving": {"min_steps": 2, "factor": 2}}}


def test_a_fit_is_trained_for_as_long_as_its_configuration_says(tmp_path: Path) -> None:
    spec = toy_spec(sampler="grid", trials=None, max_steps=5, space=STEPS, baseline=True)
    search = run_in_process(open_search(spec, tmp_path / "run"))
    steps = [trial.fits[FitKey(trial.number, 0, 0)].last_step for trial in search.ledger.trials.values()]
    assert [5, 2, 4, 8] == steps, "the default's is the max_steps of the spec"
    assert 8 == spec.most_steps


def test_the_task_is_told_it_as_the_fits_steps_and_not_among_its_hyperparameters(tmp_path: Path) -> None:
    search = open_search(toy_spec(sampler="grid", trials=None, space=STEPS), tmp_path / "run")
    _key, fit = search.next_fit() or (None, None)
    search.close()
    assert fit is not None
    assert 2 == fit.max_steps
    assert "max_steps" not in fit.config


def test_fits_of_different_lengths_are_compared_at_the_same_share_of_their_steps(tmp_path: Path) -> None:
    """Half of 8 steps is judged against half of 4, at rung 2 of the spec's 4."""
    spec = toy_spec(sampler="grid", trials=None, max_steps=4, space={"max_steps": {"choice": [4, 8]}}, **PRUNED)
    search = open_search(spec, tmp_path / "run")
    for _ in range(2):
        search.next_fit()
    assert not search.reported(FitKey(0, 0, 0), 2, {"score": 0.5}, None)
    for step in (1, 2, 3):
        assert not search.reported(FitKey(1, 0, 0), step, {"score": 0.1}, None), "not yet at half of its steps"
    assert search.reported(FitKey(1, 0, 0), 4, {"score": 0.1}, None)
    search.close()


def test_searched_with_a_pruner_it_is_resumed_like_any_other(tmp_path: Path) -> None:
    space = {"x": {"uniform": [-1, 1]}, "max_steps": {"choice": [3, 4, 7]}}
    spec = toy_spec(trials=8, max_steps=4, space=space, **PRUNED)
    run_in_process(open_search(spec, tmp_path / "run"))
    again = open_search(spec, tmp_path / "run")  # compares every decision with the journal's
    again.close()
    assert State.PRUNED in {trial.state for trial in again.ledger.told()}


def test_a_plan_counts_with_the_longest_fit(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.yaml", toy_search(space=STEPS, folds=1))
    assert "3 fits of at most 8 steps (24 steps)" in "\n".join(plan(path))


def test_the_winner_of_a_search_for_the_steps_can_be_retrained(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.yaml", toy_search(space=STEPS, folds=1))
    assert 0 == orchestrate_here("search", "--space", path, "--runs", tmp_path / "runs").returncode
    done = orchestrate_here("retrain", "toy", "--seeds", 2, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    tested = json.loads((tmp_path / "runs" / "toy" / "final" / "test.json").read_text())
    reports = (tmp_path / "runs" / "toy" / "final" / "trials" / "0" / "seed0-fold0" / "steps.log").read_text()
    assert tested["steps"] == len(reports.splitlines()) == 8


class TaskWithSteps(ToyTask):
    """A task that calls a hyperparameter of its own max_steps."""

    def parameters(self, listed: Mapping[str, Sequence[Scalar]] = MappingProxyType({})) -> Mapping[str, ToyParameter]:
        return {**super().parameters(listed), "max_steps": ToyParameter(default=1, kind="integer", low=1, high=9)}


def test_a_task_with_a_hyperparameter_of_that_name_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.yaml", toy_search(space=STEPS, task={"name": TASK}))
    with pytest.raises(UserError, match="max_steps: is how long a fit is trained, and this task has"):
        list(plan(path))
