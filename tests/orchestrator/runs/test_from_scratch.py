"""A candidate that starts from other weights competes without them, too; the start wins only where it pays."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import State
from tests.faults.faulty_driver import killed
from tests.orchestrator.chained import chained, lines_of
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

SPACE = {"x": {"choice": [0.1, 0.3]}}


def experiment(tmp_path: Path, *, final: dict[str, Any] | None = None, **changes: Any) -> Path:
    """pre > full, which competes alone; whatever starts scores .1 more in the toy task."""
    written(tmp_path / "pre.yaml", toy_search(seeds=2))
    written(tmp_path / "full.yaml", toy_search(**{"seeds": 2, "space": SPACE, **changes}))
    stages = {"pre": {"search": "pre.yaml"}, "full": {"search": "full.yaml", "start_from": "pre"}}
    return written(
        tmp_path / "toy.yaml", {"stages": stages, "final": {"stages": ["full"], "seeds": 1, **(final or {})}}
    )


def ledger(run: Path) -> Ledger:
    return Ledger(read_journal(run / "journal.jsonl"))


def test_the_winner_is_searched_from_scratch_and_shown_beside_the_others(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = orchestrate_here("run", experiment(tmp_path), "--runs", runs)
    assert 0 == done.returncode, done.stderr

    (alone,) = ledger(runs / "toy" / "full-from-scratch").trials.values()
    best = ledger(runs / "toy" / "full").ranked()[0]
    assert best.config == alone.config
    assert [(key.seed, key.fold) for key in best.fits] == [(key.seed, key.fold) for key in alone.fits]
    assert "full" == json.loads((runs / "toy" / "winner.json").read_text())["search"]
    assert ">full-from-scratch</th>" in (runs / "toy" / "report.html").read_text()
    assert "the start of full paid: 0." in done.stdout
    assert "full-from-scratch" in (runs / "toy" / "table.csv").read_text()
    assert "the start of full paid: 0." in (runs / "toy" / "table.md").read_text()
    assert "full-from-scratch: finished; 1 complete of 1" in orchestrate_here("status", "toy", "--runs", runs).stdout
    assert (
        "full-from-scratch: the winner of full without its start"
        in orchestrate_here("plan", tmp_path / "toy.yaml").stdout
    )


def test_a_start_that_is_worth_nothing_does_not_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bonus of a start taken away, both score alike, and the one from nothing is the simpler."""
    monkeypatch.setattr("tests.toy_task.START_BONUS", 0.0)
    runs = tmp_path / "runs"
    done = orchestrate_here("run", experiment(tmp_path), "--runs", runs)
    assert 0 == done.returncode, done.stderr
    assert "full-from-scratch" == json.loads((runs / "toy" / "final" / "test.json").read_text())["stage"]
    assert "the start of full did not earn its place: " in done.stdout


def test_what_cannot_be_trained_from_scratch_is_left_out_and_said_and_ends_nothing(tmp_path: Path) -> None:
    space = {"x": {"choice": [0.1, 0.3]}, "kind": "needs_start"}
    runs, file = tmp_path / "runs", experiment(tmp_path, space=space)
    for _time in range(2):  # and again: what failed is not tried anew
        done = orchestrate_here("run", file, "--runs", runs)
        assert 0 == done.returncode, done.stderr
        assert "none: ValueError: this kind needs a start, got none (" in (runs / "toy" / "report.html").read_text()
        assert "what the start of full is worth is not known: nothing like it was trained from scratch" in done.stdout
        assert "full-from-scratch: is left out: it cannot be trained from scratch (ValueError: this" in done.stdout
        assert "Traceback" not in done.stdout
    (alone,) = ledger(runs / "toy" / "full-from-scratch").trials.values()
    assert (State.FAILED, 1) == (alone.state, sum(fit.starts for fit in alone.fits.values()))
    assert 0 == orchestrate_here("consolidate", "toy", "--runs", runs).returncode


def test_a_candidate_that_has_the_configuration_from_scratch_needs_no_companion(tmp_path: Path) -> None:
    file = experiment(tmp_path)
    stages = {
        "pre": {"search": "pre.yaml"},
        "full": {"search": "full.yaml", "start_from": "pre"},
        "scratch": {"search": "full.yaml"},
    }
    written(file, {"stages": stages, "final": {"stages": ["full", "scratch"], "seeds": 1}})
    done = orchestrate_here("run", file, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    assert not (tmp_path / "runs" / "toy" / "full-from-scratch").exists()
    assert "for the same configuration from scratch (scratch/1)" in done.stdout


@pytest.mark.parametrize("kill", ["search:4:before", "search:4:after", "tell-complete:5:amid", "test_opened:1:before"])
def test_killed_anywhere_it_goes_on_with_one_companion(tmp_path: Path, kill: str) -> None:
    runs = tmp_path / "runs"
    assert -9 == killed("run", experiment(tmp_path), "--runs", runs, kill=kill).returncode
    done = orchestrate_here("resume", "toy", "--runs", runs, "--json")
    assert 0 == done.returncode, done.stderr
    assert "full" == json.loads(done.stdout)["stage"]
    (alone,) = ledger(runs / "toy" / "full-from-scratch").trials.values()
    assert State.COMPLETE == alone.state


def test_an_experiment_of_an_earlier_version_goes_on_without_companions(tmp_path: Path) -> None:
    """Its journal says nothing of `from_scratch`; a file that asks for it means another experiment."""
    runs, file = tmp_path / "runs", experiment(tmp_path)
    assert -9 == killed("run", file, "--runs", runs, kill="stage:1:after").returncode
    forget_from_scratch(runs / "toy" / "journal.jsonl")

    asked = orchestrate_here("run", experiment(tmp_path, final={"from_scratch": True}), "--runs", runs)
    assert (2, True) == (asked.returncode, "final.from_scratch: False > True" in asked.stderr)
    done = orchestrate_here("run", experiment(tmp_path), "--runs", runs)
    assert 0 == done.returncode, done.stderr
    assert not (runs / "toy" / "full-from-scratch").exists()


def forget_from_scratch(path: Path) -> None:
    lines = lines_of(path.read_bytes())
    del lines[0]["spec"]["final"]["from_scratch"]
    path.write_bytes(chained(lines))


def test_a_stage_may_not_have_the_name_of_a_companion(tmp_path: Path) -> None:
    file = experiment(tmp_path)
    stages = {
        "pre": {"search": "pre.yaml"},
        "full": {"search": "full.yaml", "start_from": "pre"},
        "full-from-scratch": {"search": "full.yaml"},
    }
    final = {"stages": ["full"], "seeds": 1}
    refused = orchestrate_here("plan", written(file, {"stages": stages, "final": final}))
    assert 2 == refused.returncode
    assert "full-from-scratch: is where full competes from scratch; give the stage another name" in refused.stderr
    final["from_scratch"] = False
    assert 0 == orchestrate_here("plan", written(file, {"stages": stages, "final": final})).returncode
