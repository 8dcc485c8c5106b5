"""A stage that refines another: written when it begins, searched like any other, the same after every kill."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.specs.experiment import Experiment
from tests.faults.faulty_driver import killed
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

SPACE = {"x": {"uniform": [-1, 1]}, "layers": {"integer": [1, 4]}, "kind": {"choice": ["plain", "bent"]}}


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    written(tmp_path / "pre.yaml", toy_search(seeds=2))
    written(tmp_path / "full.yaml", toy_search(seeds=2, sampler="random", trials=3, space=SPACE, winner="best"))
    stages: dict[str, Any] = {
        "pre": {"search": "pre.yaml"},
        "full": {"search": "full.yaml", "start_from": "pre"},
        "refined": {"refine": "full", "points": 3, "trials": 8},
    }
    return written(tmp_path / "toy.yaml", {"stages": stages, "final": {"stages": ["full", "refined"], "seeds": 1}})


def table(run: Path) -> list[Any]:
    ledger = Ledger(read_journal(run / "journal.jsonl"))
    return [(one.number, one.state, one.config, one.value) for one in ledger.told()]


def test_a_refining_stage_tries_the_winner_and_its_neighbours_from_the_same_weights(
    experiment: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    done = orchestrate_here("run", experiment, "--runs", runs, "--json")
    assert 0 == done.returncode, done.stderr
    full, found = (Ledger(read_journal(runs / "toy" / name / "journal.jsonl")) for name in ("full", "refined"))
    best = full.ranked()[0]

    assert best.config == found.trials[0].config
    assert pytest.approx(best.value) == found.trials[0].value  # the same fits, searched again
    assert "pre" == getattr(found.spec, "start_from", None)
    assert {0: 0} == {fold: 0 for fold in {key.fold for key in found.trials[0].fits} if fold == 0}
    for trial in list(found.trials.values())[1:4]:
        assert 1 == sum(trial.config[name] != best.config[name] for name in best.config)
    assert json.loads(done.stdout)["stage"] in ("full", "refined")
    assert "refined: finished" in orchestrate_here("status", "toy", "--runs", runs).stdout


def test_a_plan_says_what_is_known_of_it(experiment: Path) -> None:
    said = orchestrate_here("plan", experiment).stdout
    assert "refined: around the winner of full, written when that is known, from what full starts from (pre)" in said
    assert "at most 8 trials" in said
    assert "8 trials x 2 seeds x 2 folds = 32 fits" in said


@pytest.mark.parametrize(
    ("start_from", "folds"),
    [(None, None), ("pre", 1), ("elsewhere", None), ("weights.pt", 1)],
)
def test_it_has_all_folds_whose_records_its_start_has_not_seen(
    tmp_path: Path, start_from: str | None, folds: int | None
) -> None:
    """`elsewhere` is of other data; of a file nothing is known but that it did for the one fold."""
    (tmp_path / "weights.pt").touch()
    other = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 1e-9}}
    written(tmp_path / "pre.yaml", toy_search(folds=1))
    written(tmp_path / "elsewhere.yaml", toy_search(task=other))
    written(tmp_path / "full.yaml", toy_search(folds=1))
    start = {} if start_from is None else {"start_from": start_from}
    stages: dict[str, Any] = {
        "pre": {"search": "pre.yaml"},
        "elsewhere": {"search": "elsewhere.yaml"},
        "full": {"search": "full.yaml", **start},
        "refined": {"refine": "full"},
    }
    file = written(tmp_path / "toy.yaml", {"stages": stages, "final": {"stages": ["refined"]}})
    assert folds == Experiment.read(file).searches["refined"].folds


def test_killed_anywhere_it_goes_on_as_it_was_written_to_the_equal_table(experiment: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert 0 == orchestrate_here("run", experiment, "--runs", whole).returncode
    for number, kill in enumerate(("stage:2:before", "stage:2:after", "ask:7:before", "tell-complete:8:amid")):
        runs = tmp_path / f"runs-{number}"
        assert -9 == killed("run", experiment, "--runs", runs, kill=kill).returncode
        assert 0 == orchestrate_here("resume", "toy", "--runs", runs).returncode
        for stage in ("full", "refined"):
            assert table(whole / "toy" / stage) == table(runs / "toy" / stage)


def test_every_mistake_of_a_refining_stage_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path / "full.yaml", toy_search())
    written(tmp_path / "own.yaml", toy_search(configurations=[{"x": 0.1}]))
    stages: dict[str, Any] = {
        "early": {"refine": "full"},
        "full": {"search": "full.yaml"},
        "own": {"search": "own.yaml"},
    }
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["full"]}})
    done = orchestrate_here("plan", experiment)
    assert 2 == done.returncode
    assert "refine: must name a stage above this one (there is none), got 'full'" in done.stderr
    assert "configurations: are written by a stage that refines another" in done.stderr

    stages = {
        "full": {"search": "full.yaml", "points": 3},
        "both": {"refine": "full", "search": "full.yaml"},
        "even": {"refine": "full", "points": 4},
        "start": {"refine": "full", "start_from": "full"},
    }
    done = orchestrate_here("plan", written(experiment, {"stages": stages, "final": {"stages": ["full"]}}))
    assert 2 == done.returncode
    for said in (
        "stages.full: points and trials belong to refine",
        "stages.both: must say either search, a file, or refine, a stage above it",
        "stages.even: points must be odd, the winner's value being in the middle, got 4",
        "stages.start: starts from what full starts from",
    ):
        assert said in done.stderr


def test_what_was_written_stays_although_the_refined_stage_has_more_trials_since(tmp_path: Path) -> None:
    """With one fit each every trial is a tie, so another trial would be written down as well."""
    runs, space = tmp_path / "runs", {"x": {"choice": [0.3, -0.2, 0.1]}}
    stages: dict[str, Any] = {"full": {"search": "full.yaml"}, "refined": {"refine": "full"}}
    experiment = written(tmp_path / "toy.yaml", {"stages": stages, "final": {"stages": ["refined"], "seeds": 1}})
    written(tmp_path / "full.yaml", toy_search(folds=1, space=space, trials=1, winner="best"))
    assert -9 == killed("run", experiment, "--runs", runs, kill="stage:2:before").returncode
    written(tmp_path / "full.yaml", toy_search(folds=1, space=space, trials=2, winner="best"))

    done = orchestrate_here("run", experiment, "--runs", runs)

    assert 0 == done.returncode, done.stderr
    assert 2 == len(table(runs / "toy" / "full"))
    assert [0.3, 0.1] == [config["x"] for _number, _state, config, _value in table(runs / "toy" / "refined")]
