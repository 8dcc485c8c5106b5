"""The first trial is the untuned default: what it is, where it stands in a grid, and what is never done with it."""

import warnings
from pathlib import Path

import pytest

from orchestrator.history.records import FitKey, State
from orchestrator.search.search import Search
from orchestrator.specs.specs import SearchSpec
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

DEFAULT_FIRST = {"baseline": True}
GRID = {"sampler": "grid", "trials": None, **DEFAULT_FIRST}
PRUNED = {"prune": {"successive_halving": {"min_steps": 1, "factor": 2}}}


def tried(spec: SearchSpec, path: Path) -> list[tuple[str, dict[str, object]]]:
    search = run_in_process(open_search(spec, path))
    return [(trial.origin, dict(trial.config)) for trial in search.ledger.trials.values()]


def test_a_search_tries_the_tasks_defaults_first_beside_the_fixed_values(tmp_path: Path) -> None:
    space = {"x": {"uniform": [-1, 1]}, "layers": {"integer": [1, 8]}, "y": 0.5}
    first, *others = tried(toy_spec(trials=3, space=space, **DEFAULT_FIRST), tmp_path / "run")
    assert ("default", {"x": 0.0, "layers": 1, "y": 0.5}) == first
    assert ["sampler", "sampler"] == [origin for origin, _config in others]


def test_a_default_makes_no_inactive_dimension_active(tmp_path: Path) -> None:
    space = {"kind": {"choice": ["bent", "plain"]}, "turns": {"integer": [1, 4], "when": {"kind": "bent"}}}
    assert {"kind": "plain"} == tried(toy_spec(trials=1, space=space, **DEFAULT_FIRST), tmp_path / "run")[0][1]


def test_each_cell_has_its_default(tmp_path: Path) -> None:
    space = {"kind": {"grid": ["plain", "bent"]}, "x": {"uniform": [-1, 1]}}
    found = tried(toy_spec(trials=4, space=space, **DEFAULT_FIRST), tmp_path / "run")
    assert [("default", {"kind": kind, "x": 0.0}) for kind in ("plain", "bent")] == found[:2]
    assert ["sampler", "sampler"] == [origin for origin, _config in found[2:]]


def test_a_grid_without_the_default_has_one_trial_more(tmp_path: Path) -> None:
    spec = toy_spec(space={"x": {"choice": [0.1, 0.3]}}, **GRID)
    assert 3 == spec.total
    assert [("default", 0.0), ("grid", 0.1), ("grid", 0.3)] == [
        (origin, config["x"]) for origin, config in tried(spec, tmp_path / "run")
    ]


def test_a_grid_with_the_default_tries_it_first_and_once(tmp_path: Path) -> None:
    found = tried(toy_spec(space={"x": {"choice": [0.1, 0.0]}}, **GRID), tmp_path / "run")
    assert [("default", 0.0), ("grid", 0.1), ("duplicate of 0", 0.0)] == [(o, config["x"]) for o, config in found]
    assert not (tmp_path / "run" / "trials" / "2").exists()


def test_a_space_of_one_configuration_is_trained_once(tmp_path: Path) -> None:
    assert [("grid", {"x": 0.1})] == tried(toy_spec(space={"x": 0.1}, **GRID), tmp_path / "run")


@pytest.mark.parametrize("space", [{"x": {"uniform": [0.1, 1]}}, {"x": {"choice": [0.1, 0.2]}}])
def test_a_default_outside_the_space_is_judged_and_no_part_of_the_study(
    tmp_path: Path, space: dict[str, object]
) -> None:
    spec = toy_spec(trials=6, startup_trials=2, space=space, **DEFAULT_FIRST, **PRUNED)
    with warnings.catch_warnings(action="error"):
        search = run_in_process(open_search(spec, tmp_path / "run"))
        again = open_search(spec, tmp_path / "run")
    again.close()
    assert {"x": 0.0} == search.ledger.trials[0].config
    assert State.COMPLETE is search.ledger.trials[0].state
    assert search.ledger.trials[0].value is not None


def test_the_default_is_never_stopped_early(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=2, **DEFAULT_FIRST, **PRUNED), tmp_path / "run")
    first, second = begun(search), begun(search)
    assert not search.reported(second, 1, {"score": 0.9}, None)
    assert not search.reported(first, 1, {"score": 0.1}, None), "the pruner would have stopped it"
    search.close()


def begun(search: Search) -> FitKey:
    following = search.next_fit()
    assert following is not None
    return following[0]


def test_what_is_enqueued_is_tried_after_the_default_the_rest_at_defaults(tmp_path: Path) -> None:
    space = {"x": {"uniform": [-1, 1]}, "layers": {"integer": [1, 8]}}
    spec = toy_spec(trials=4, space=space, enqueue=[{"x": 0.7}, {"layers": 3}], **DEFAULT_FIRST)
    found = tried(spec, tmp_path / "run")
    assert [
        ("default", {"x": 0.0, "layers": 1}),
        ("enqueued", {"x": 0.7, "layers": 1}),
        ("enqueued", {"x": 0.0, "layers": 3}),
    ] == found[:3]
    assert "sampler" == found[3][0]


def test_a_cell_tries_what_is_enqueued_for_it_or_for_none(tmp_path: Path) -> None:
    space = {"kind": {"grid": ["plain", "bent"]}, "x": {"uniform": [-1, 1]}}
    enqueue = [{"x": 0.7}, {"kind": "bent", "x": 0.2}]
    found = tried(toy_spec(trials=6, space=space, enqueue=enqueue, **DEFAULT_FIRST), tmp_path / "run")
    assert [0.0, 0.7] == [config["x"] for _origin, config in found[0:4:2]]
    assert [0.0, 0.7, 0.2] == [config["x"] for _origin, config in found[1::2]]


def test_a_grid_tries_what_is_enqueued_before_its_own(tmp_path: Path) -> None:
    spec = toy_spec(space={"x": {"choice": [0.1, 0.3]}}, enqueue=[{"x": 0.3}], **GRID)
    found = [(origin, config["x"]) for origin, config in tried(spec, tmp_path / "run")]
    assert [("default", 0.0), ("enqueued", 0.3), ("grid", 0.1), ("duplicate of 1", 0.3)] == found
    assert len(found) == spec.total
