"""A replay comes to the decisions that the journal says, or to none: another optuna may decide otherwise."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import RunFailed
from orchestrator.history.journal import Journal, read_journal
from orchestrator.history.records import Record, Reported
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

HALVING = {"successive_halving": {"min_steps": 1, "factor": 2}}
PRUNED = {"prune": HALVING, "sampler": "grid", "trials": None, "space": {"x": {"choice": [0.3, -1.0, -0.9, 0.9]}}}


@pytest.mark.parametrize("decided", ["stop", "continue"])
def test_a_decision_that_this_optuna_would_not_have_made_is_refused_with_the_trial_and_the_step(
    tmp_path: Path, decided: str
) -> None:
    spec = toy_spec(**PRUNED)
    run_in_process(open_search(spec, tmp_path / "run"))
    records = [record for record, _at in read_journal(tmp_path / "run" / "journal.jsonl")]
    other = next(at for at, record in enumerate(records) if isinstance(record, Reported) and record.decision == decided)
    made = records[other]
    assert isinstance(made, Reported)
    otherwise = replace(made, decision="continue" if decided == "stop" else "stop")
    journaled(tmp_path / "other", [*records[:other], otherwise])

    with pytest.raises(RunFailed) as raised:
        open_search(spec, tmp_path / "other")

    said = str(raised.value)
    assert f"trial {made.trial}, step {made.step}: the journal says {otherwise.decision}" in said
    assert f"on replay the study says {decided}" in said
    assert "another version of optuna? Install that one" in said
    journaled(tmp_path / "same", records[: other + 1])
    open_search(spec, tmp_path / "same").close()


def journaled(run: Path, records: list[Record]) -> None:
    run.mkdir()
    journal = Journal(run / "journal.jsonl")
    for record in records:
        journal.append(record)
    journal.close()
