"""What is made of a winner: retrained to the step at which it was judged, or the very fits that were judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history import records
from orchestrator.history.journal import read_journal
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.final_members import final_spec, own_checkpoints, take_over
from orchestrator.search import retention
from orchestrator.search.lineage import Lineage
from orchestrator.search.search import Search
from orchestrator.search.selection import Contender
from orchestrator.specs.methods import Race
from orchestrator.specs.specs import FinalSpec
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

# The toy's noise is of the fit's seed alone, so that trials differ by their values and all but equals are told apart.
SPACE = {"x": {"choice": [0.3, 0.30001, -0.5]}}


def run(folder: Path, final: dict[str, Any], **search: Any) -> dict[str, Any]:
    searched = written(folder / "toy.yaml", toy_search(**{"seeds": 2, "space": SPACE, "max_steps": 4, **search}))
    plan = {"stages": {"toy": {"search": searched.name}}, "final": {"stages": ["toy"], **final}}
    command = ("run", written(folder / "plan.yaml", plan), "--runs", folder / "runs", "--executor", "in-process")
    done = orchestrate(*command)
    assert 0 == done.returncode, done.stdout + done.stderr
    tested: dict[str, Any] = json.loads((folder / "runs" / "plan" / "final" / "test.json").read_text())
    return tested


def test_judged_fits_are_taken_over_and_nothing_is_trained(tmp_path: Path) -> None:
    tested = run(tmp_path, {"form": "judged"})
    assert ("judged", 4) == (tested["form"], tested["members"]), "two seeds of two folds"
    run_folder = RunFolder(tmp_path / "runs" / "plan")
    source, final = read_ledger(run_folder.stage("toy")), read_ledger(run_folder.final)
    assert source.scores(source.trials[tested["trial"]]) == final.scores(final.trials[0])
    for key, fit in final.trials[0].fits.items():
        theirs = run_folder.stage("toy").fit(key._replace(trial=tested["trial"])) / "checkpoint-4.json"
        assert theirs.samefile(run_folder.final.fit(key) / fit.checkpoints[4])
        assert not (run_folder.final.fit(key) / "steps.log").exists()


def test_with_ties_the_fits_of_all_that_cannot_be_told_from_the_best_answer_together(tmp_path: Path) -> None:
    tested = run(tmp_path, {"form": "judged", "of": "ties"}, space={"x": {"choice": [0.3, 0.3 + 1e-12, -0.5]}})
    assert 8 == tested["members"]
    assert "and the 1 that tie with the best" in tested["what"]


@pytest.mark.parametrize(("score_at", "steps"), [("last", 4), ("common_best", 4)])
def test_a_retrained_final_runs_the_same_schedule_to_the_step_that_was_judged(
    tmp_path: Path, score_at: str, steps: int
) -> None:
    tested = run(tmp_path, {"seeds": 3}, score_at=score_at)
    assert (steps, 3) == (tested["steps"], tested["members"])
    final = read_ledger(RunFolder(tmp_path / "runs" / "plan" / "final"))
    assert final.spec is not None
    assert 4 == final.spec.max_steps, "the schedule's length is what it was"


def test_a_final_of_fits_judged_before_their_end_stops_there(tmp_path: Path) -> None:
    """`loss` falls from step to step, so with mode max the first step is the best."""
    tested = run(tmp_path, {"seeds": 2}, metric="loss", score_at="common_best")
    assert 1 == tested["steps"]
    final = read_ledger(RunFolder(tmp_path / "runs" / "plan" / "final"))
    assert final.spec is not None
    assert (4, 1) == (final.spec.max_steps, final.spec.stop_at)
    assert {1} == {fit.last_step for fit in final.trials[0].fits.values()}


def test_a_taking_over_that_was_cut_anywhere_is_finished_by_the_same_command(tmp_path: Path) -> None:
    tested = run(tmp_path, {"form": "judged"})
    final = tmp_path / "runs" / "plan" / "final"
    lines = (final / "journal.jsonl").read_text().splitlines(keepends=True)
    whole = [record for record, _ in read_journal(final / "journal.jsonl")]
    for kept in range(1, len(lines)):
        (final / "journal.jsonl").write_text("".join(lines[:kept]))
        (final / "test.json").unlink()
        again = run(tmp_path, {"form": "judged"})
        assert {**tested, "opened_at": ""} == {**again, "opened_at": ""}
        for kind in (records.Ask, records.Reported, records.End, records.TestOpened):
            now = [record for record, _ in read_journal(final / "journal.jsonl") if isinstance(record, kind)]
            assert now == [record for record in whole if isinstance(record, kind)], (kept, kind)


def taken_over(source: Search, place: Path) -> Search:
    """A final of all complete trials of a search."""
    members = [Contender(source.folder, source.ledger, trial) for trial in source.ledger.ranked()]
    how = FinalSpec(stages=["toy"], form="judged", of="ties")
    lineage = Lineage(final=True)
    spec = final_spec(members, how)
    final = Search(spec, RunFolder(place), facts=source.facts, incarnation="test", lineage=lineage)
    take_over(members, final)
    final.close()
    return final


def test_a_final_keeps_the_weights_of_all_that_it_took_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = toy_spec(sampler="grid", trials=None, seeds=2, space={"x": {"choice": [0.1, 0.2, 0.3]}})
    source = run_in_process(open_search(spec, tmp_path / "toy"))
    monkeypatch.setattr(retention, "KEPT_TRIALS", 1)
    final = taken_over(source, tmp_path / "final")
    assert 6 == len([path for path in own_checkpoints(final.ledger, final.folder) if path.exists()])


def test_what_is_taken_over_runs_no_race(tmp_path: Path) -> None:
    spec = toy_spec(sampler="grid", trials=None, seeds=3, space={"x": {"choice": [0.1, 0.2, 0.3]}})
    source = run_in_process(open_search(spec, tmp_path / "toy"))
    source.ledger.spec = spec.model_copy(update={"race": Race()})
    final = taken_over(source, tmp_path / "final")
    assert [records.State.COMPLETE] * 3 == [trial.state for trial in final.ledger.trials.values()]


def test_ties_of_a_retrained_final_are_a_mistake(tmp_path: Path) -> None:
    searched = written(tmp_path / "toy.yaml", toy_search())
    plan = {"stages": {"toy": {"search": searched.name}}, "final": {"stages": ["toy"], "of": "ties"}}
    done = orchestrate("plan", written(tmp_path / "plan.yaml", plan))
    assert 2 == done.returncode
    assert "of: ties needs form: judged" in done.stderr
