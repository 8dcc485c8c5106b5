"""Stages chained by weights, the best of them retrained, the test part opened once; all through the command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history import records
from orchestrator.history.journal import read_journal
from orchestrator.history.records import Stage, Start
from tests.faults.faulty_driver import killed
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """pretrain > head > full, and `scratch` beside them, which starts from nothing and so scores .1 less."""
    for name in ("pretrain", "head", "full", "scratch"):
        written(tmp_path / f"{name}.yaml", toy_search(seeds=2, folds=1, concurrency=2))
    stages: dict[str, Any] = {
        "pretrain": {"search": "pretrain.yaml"},
        "head": {"search": "head.yaml", "start_from": "pretrain"},
        "full": {"search": "full.yaml", "start_from": "head"},
        "scratch": {"search": "scratch.yaml"},
    }
    final = {"stages": ["scratch", "full"], "seeds": 2}
    return written(tmp_path / "toy.yaml", {"stages": stages, "final": final})


def events(run: Path, kind: type) -> list[Any]:
    return [record for record, _at in read_journal(run / "journal.jsonl") if isinstance(record, kind)]


def test_an_experiment_runs_its_stages_in_order_and_tests_the_best_candidate_once(
    experiment: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    done = orchestrate_here("run", experiment, "--runs", runs, "--json")
    assert 0 == done.returncode, done.stderr
    run = runs / "toy"

    tested = json.loads(done.stdout)
    assert "full" == tested["stage"], "0.1 better than scratch, since its weights come from head"
    assert 1 == tested["openings"]
    assert ["pretrain", "head", "full", "scratch"] == [stage.name for stage in events(run, Stage)]
    assert 1 == len(events(run / "final", records.TestOpened))
    assert "opened\n" == (run / "final" / "opened.log").read_text()
    of_run, of_final = (
        {"provenance.json", "spec.yaml", "journal.jsonl", "winner.json", "table.md"},
        {"test.json", "predictions.csv", "model", "spec.yaml", "journal.jsonl"},
    )
    assert of_run <= {path.name for path in run.iterdir()}
    assert of_final <= {path.name for path in (run / "final").iterdir()}
    assert "toy" == json.loads((run / "full" / "provenance.json").read_text())["data"]["full"]["data"]
    header = (run / "full" / "table.csv").read_text().splitlines()[0]
    assert header.startswith("trial,state,standing,mean,sd,low,high,over,fits,steps,seconds,x")
    assert (run / "table.csv").read_text().splitlines()[0].endswith(",run,group")
    assert 0o700 == run.stat().st_mode & 0o777

    again = orchestrate_here("run", experiment, "--runs", runs, "--json")
    assert tested == json.loads(again.stdout)
    assert "opened\n" == (run / "final" / "opened.log").read_text()


@pytest.mark.parametrize("kill", ["stage:2:before", "stage:2:after", "test_opened:1:before", "test_opened:1:after"])
def test_an_experiment_killed_at_a_stage_or_an_opening_goes_on_and_opens_the_test_part_once(
    experiment: Path, tmp_path: Path, kill: str
) -> None:
    runs = tmp_path / "runs"
    assert -9 == killed("run", experiment, "--runs", runs, kill=kill).returncode
    done = orchestrate_here("resume", "toy", "--runs", runs, "--json")
    assert 0 == done.returncode, done.stderr
    assert 1 == json.loads(done.stdout)["openings"]
    assert 4 == len(events(runs / "toy", Stage))
    assert 1 == len(events(runs / "toy" / "final", records.TestOpened))
    starts = events(runs / "toy" / "head", Start)
    assert len(starts) == len({(start.trial, start.seed, start.fold) for start in starts})


def test_a_second_opening_is_refused_without_reopen_and_marked_with_it(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    runs = tmp_path / "runs"
    assert 0 == orchestrate_here("search", "--space", space, "--runs", runs).returncode
    first = orchestrate_here("retrain", "toy", "--runs", runs, "--seeds", 2)
    assert 0 == first.returncode, first.stderr

    refused = orchestrate_here("retrain", "toy", "--runs", runs, "--seeds", 2)
    assert 2 == refused.returncode
    assert "the test part of this data was opened on 20" in refused.stderr
    assert "--reopen opens it again and marks it" in refused.stderr

    reopened = orchestrate_here("retrain", "toy", "--runs", runs, "--seeds", 1, "--reopen")
    assert 0 == reopened.returncode, reopened.stderr
    assert "NOTE the test part was opened 2 times" in reopened.stdout
    assert 2 == json.loads((runs / "toy" / "final" / "test.json").read_text())["openings"]
    assert "opened 2 times" in orchestrate_here("consolidate", "toy", "--runs", runs).stdout
    assert (runs / "toy" / "final-1" / "test.json").exists()


@pytest.mark.parametrize("sizes", [(1, 8), (8, 9)], ids=["another winner", "the same winner"])
def test_a_longer_experiment_goes_on_unless_later_stages_started_from_another_winner(
    tmp_path: Path, sizes: tuple[int, int]
) -> None:
    runs = tmp_path / "runs"
    stages = {"base": {"search": "base.yaml"}, "full": {"search": "full.yaml", "start_from": "base"}}
    final = {"stages": ["full"], "seeds": 1, "from_scratch": False}
    file = written(tmp_path / "toy.yaml", {"stages": stages, "final": final})
    done = []
    for trials in sizes:
        for name in stages:
            space = {"x": {"uniform": [0, 1]}} if name == "base" else {"x": 0.3}
            search = toy_search(sampler="random", trials=trials if name == "base" else 1, folds=1, space=space)
            written(tmp_path / f"{name}.yaml", search)
        done.append(orchestrate_here("run", file, "--runs", runs))
    winners = [record.winner for record in events(runs / "toy", Stage) if record.name == "base"]
    now = json.loads((runs / "toy" / "base" / "winner.json").read_text())["trial"]
    assert 1 == len(winners)
    if sizes == (8, 9):
        assert [0, 0] == [one.returncode for one in done], done[1].stderr
        assert winners == [now]
    else:
        assert [0, 1] == [one.returncode for one in done]
        assert f"stage base now has another winner (trial {now}, was {winners[0]}), from which the later" in (
            done[1].stderr
        )
        assert "give the longer experiment a --name of its own" in done[1].stderr


def test_status_and_consolidate_read_a_run_that_was_killed_and_resume_ends_it(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search(space={"x": {"uniform": [0, 1], "step": 0.25}}))
    runs = tmp_path / "runs"
    killed("search", "--space", space, "--runs", runs, kill="tell-complete:3:after")

    (status,) = json.loads(orchestrate_here("status", "--runs", runs, "--json").stdout)["toy"]
    assert ("interrupted", 5) == (status["state"], status["total"])
    assert 3 == status["trials"]["complete"]
    rows = json.loads(orchestrate_here("consolidate", "toy", "--runs", runs, "--json").stdout)
    assert 3 == [row["state"] for row in rows].count("complete")

    assert 0 == orchestrate_here("resume", "toy", "--runs", runs).returncode
    assert "toy: finished; 5 complete of 5" in orchestrate_here("status", "--runs", runs).stdout


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_the_fit_goes_on(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search(folds=1, space={"kind": {"choice": ["dies", "plain"]}}))
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    starts = [start.trial for start in events(tmp_path / "runs" / "toy", Start)]
    assert [0, 0, 1] == sorted(starts)
    assert "Traceback" not in done.stderr


def test_spec_changes_that_a_resume_may_make_are_taken_and_others_refused(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    space = written(tmp_path / "toy.yaml", toy_search(sampler="random", trials=2, space={"x": {"uniform": [0, 1]}}))
    assert 0 == orchestrate_here("search", "--space", space, "--runs", runs).returncode
    more = orchestrate_here("search", "--space", space, "--runs", runs, "--trials", 4, "--concurrency", 2, "--json")
    assert 4 == json.loads(more.stdout)[0]["trials"]["complete"]

    written(space, toy_search(sampler="random", trials=2, space={"x": {"uniform": [0, 2]}}))
    refused = orchestrate_here("search", "--space", space, "--runs", runs)
    assert 2 == refused.returncode
    assert "space.x.uniform: [0.0, 1.0] > [0.0, 2.0]" in refused.stderr


def test_data_that_another_run_was_tested_on_is_not_opened_again_without_reopen(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    space = written(tmp_path / "toy.yaml", toy_search())
    for name in ("one", "two"):
        assert 0 == orchestrate_here("search", "--space", space, "--runs", runs, "--name", name).returncode
    assert 0 == orchestrate_here("retrain", "one", "--runs", runs, "--seeds", 1).returncode

    refused = orchestrate_here("retrain", "two", "--runs", runs, "--seeds", 1)
    assert 2 == refused.returncode
    assert f"by {runs}/one/final; scores chosen after a look at the test part are worth nothing" in refused.stderr
    assert not (runs / "two" / "final").exists()

    marked = orchestrate_here("retrain", "two", "--runs", runs, "--seeds", 1, "--reopen", "--json")
    assert 2 == json.loads(marked.stdout)["openings"]
    assert 2 == json.loads((runs / "two" / "final" / "model" / "signature.json").read_text())["test_openings"]
    assert "NOTE: the test part was opened 2 times" in (runs / "two" / "table.md").read_text()


def test_a_final_killed_while_it_exports_is_finished_by_the_same_command(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    space = written(tmp_path / "toy.yaml", toy_search())
    assert 0 == orchestrate_here("search", "--space", space, "--runs", runs).returncode
    assert 0 == orchestrate_here("retrain", "toy", "--runs", runs, "--seeds", 1).returncode
    shutil.rmtree(runs / "toy" / "final" / "model")

    again = orchestrate_here("retrain", "toy", "--runs", runs, "--seeds", 1, "--json")
    assert 1 == json.loads(again.stdout)["openings"]
    assert (runs / "toy" / "final" / "model" / "model.json").exists()
    assert "opened\n" == (runs / "toy" / "final" / "opened.log").read_text()


def test_a_stage_or_a_final_is_no_run_of_its_own(experiment: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    killed("run", experiment, "--runs", runs, kill="stage:2:after")
    for command in ("resume", "retrain", "status"):
        done = orchestrate_here(command, "toy/head", "--runs", runs)
        assert (2, "toy/head: is a part of the run toy; give that name\n") == (done.returncode, done.stderr)


def test_a_resume_keeps_the_number_of_trials_that_the_last_start_asked_for(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    space = written(tmp_path / "toy.yaml", toy_search(sampler="random", trials=2, space={"x": {"uniform": [0, 1]}}))
    assert 0 == orchestrate_here("search", "--space", space, "--runs", runs).returncode
    assert -9 == killed("search", "--space", space, "--runs", runs, "--trials", 5, kill="ask:2:after").returncode
    assert 0 == orchestrate_here("resume", "toy", "--runs", runs).returncode
    assert "toy: finished; 5 complete of 5" in orchestrate_here("status", "--runs", runs).stdout
