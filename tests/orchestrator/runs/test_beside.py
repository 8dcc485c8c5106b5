"""Models that are tested beside the winner, in one opening of the test part."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.history import records
from orchestrator.history.journal import read_journal
from orchestrator.task import Fit, Report
from tests.faults.faulty_driver import killed
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here
from tests.toy_task import ToyTask


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """A search whose winner is not its default, one poor configuration, and a shorter search with a default, too."""
    grid = {"x": {"choice": [0.9, 0.3, -0.5]}}
    fits: dict[str, Any] = {"sampler": "grid", "trials": None, "seeds": 3, "folds": 1}
    written(tmp_path / "tuned.yaml", toy_search(**fits, space=grid, baseline=True))
    written(tmp_path / "plain.yaml", toy_search(**fits, space={"x": 0.9}))
    written(tmp_path / "short.yaml", toy_search(**fits, max_steps=2, space=grid, baseline=True))
    stages = {name: {"search": f"{name}.yaml"} for name in ("short", "tuned", "plain")}
    final = {"stages": ["tuned"], "seeds": 2, "beside": ["default", "plain"]}
    return written(tmp_path / "toy.yaml", {"stages": stages, "final": final})


def run(experiment: Path, runs: Path) -> dict[str, Any]:
    done = orchestrate_here("run", experiment, "--runs", runs, "--json")
    assert 0 == done.returncode, done.stderr
    tested: dict[str, Any] = json.loads(done.stdout)
    return tested


def opened(runs: Path) -> list[records.TestOpened]:
    journal = read_journal(runs / "toy" / "final" / "journal.jsonl")
    return [record for record, _at in journal if isinstance(record, records.TestOpened)]


def test_default_and_stage_are_tested_with_the_winner_in_one_opening_that_names_all_their_weights(
    experiment: Path, tmp_path: Path
) -> None:
    tested = run(experiment, tmp_path / "runs")
    beside = tested["beside"]
    assert list(beside) == ["default", "plain"]
    assert (beside["plain"]["stage"], beside["plain"]["config"]) == ("plain", {"x": 0.9})
    assert beside["default"]["stage"] == "tuned"
    assert beside["default"]["trial"] != tested["trial"]
    assert all(one["metrics"]["score"] < tested["metrics"]["score"] for one in beside.values())
    (opening,) = opened(tmp_path / "runs")
    assert {Path(name).parts[0] for name in opening.checkpoints} == {"trials", "beside-default", "beside-plain"}
    assert tested["openings"] == 1
    assert tested == run(experiment, tmp_path / "runs")
    assert len(opened(tmp_path / "runs")) == 1


def test_what_is_beside_is_told_on_the_last_screen(experiment: Path, tmp_path: Path) -> None:
    done = orchestrate_here("run", experiment, "--runs", tmp_path / "runs")
    lines = [line for line in done.stdout.splitlines() if line.startswith("beside it, in the same opening: ")]
    assert len(lines) == 2
    assert "plain (trial 0 of plain): score" in lines[1]


@pytest.mark.parametrize("kill", ["test_opened:1:before", "test_opened:1:after"])
def test_killed_at_the_opening_it_ends_as_one_that_was_not(experiment: Path, tmp_path: Path, kill: str) -> None:
    whole = run(experiment, tmp_path / "whole")
    assert -9 == killed("run", experiment, "--runs", tmp_path / "cut", kill=kill).returncode
    rest = run(experiment, tmp_path / "cut")
    moments = ("opened_at",)
    assert {k: v for k, v in whole.items() if k not in moments} == {k: v for k, v in rest.items() if k not in moments}
    assert len(opened(tmp_path / "cut")) == 1


def test_one_that_cannot_be_made_is_left_out_and_said_and_the_winner_is_tested_all_the_same(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = ToyTask.fit

    def without_plain(self: ToyTask, one: Fit, report: Report) -> None:
        if one.final and one.config["x"] == 0.9:
            raise RuntimeError("no room")
        fit(self, one, report)

    monkeypatch.setattr(ToyTask, "fit", without_plain)
    done = orchestrate_here("run", experiment, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    assert "beside: plain: is left out: " in done.stdout + done.stderr
    tested = json.loads((tmp_path / "runs" / "toy" / "final" / "test.json").read_text())
    assert list(tested["beside"]) == ["default"]
    assert tested["metrics"]["score"] > 0


def test_the_winner_is_not_tested_twice_and_a_misspelt_stage_is_a_mistake_of_the_file(
    experiment: Path, tmp_path: Path
) -> None:
    content = yaml.safe_load(experiment.read_text())
    content["final"]["beside"] = ["tuned"]
    assert "beside" not in run(written(experiment, content), tmp_path / "runs")
    content["final"]["beside"] = ["plan", "default", "default"]
    done = orchestrate_here("plan", written(experiment, content))
    assert 2 == done.returncode
    assert 2 == done.stderr.count("beside: must name stages of this experiment or default, each once, got")
    content["final"] |= {"stages": ["plain"], "beside": ["default"]}
    done = orchestrate_here("plan", written(experiment, content))
    assert (2, 1) == (done.returncode, done.stderr.count("no stage that competes tries its untuned default"))
