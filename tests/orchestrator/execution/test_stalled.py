"""Fits that neither report nor end, on a real Ray."""

from pathlib import Path

import pytest

from orchestrator.history.failures import Failure
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import FitKey, State
from tests.orchestrator.command import orchestrate, toy_search, written

pytestmark = pytest.mark.slow


def test_a_fit_that_hangs_is_begun_again_from_its_checkpoint_and_fails_when_it_hangs_again_and_again(
    tmp_path: Path,
) -> None:
    """Asleep, stopped by a signal, or lost in C: whatever its process does, it is ended."""
    search = toy_search(
        task={"name": "tests.orchestrator.execution.tasks:Hanging", "with": {"always": True}},
        space={"x": {"choice": [0.1, 0.2, 0.3]}},
        concurrency=3,
        stall_s=6,
    )
    done = orchestrate("search", "--space", written(tmp_path / "s.yaml", search), "--runs", tmp_path / "runs")
    said = "fold 0: stalled (it neither reported nor ended for 6 s)"
    assert (0, [4, 1, 1]) == (done.returncode, [done.stderr.count(f"trial {n}: seed 0, {said}\n") for n in range(3)])
    ledger = Ledger(read_journal(tmp_path / "runs" / "s" / "journal.jsonl"))
    states = [State.FAILED, State.COMPLETE, State.COMPLETE]
    assert states == [trial.state for trial in ledger.trials.values()]
    first, *others = [ledger.fit(FitKey(trial, 0, 0)) for trial in range(3)]
    assert (Failure.STALLED, 4) == (first.failure, first.starts)
    assert "stalled 4 times in a row without finishing a step: it neither reported nor ended for 6 s" in str(
        first.error
    )
    assert [([(Failure.STALLED, 1)], 2)] * 2 == [(fit.losses, fit.starts) for fit in others]


def test_a_fit_that_does_not_end_when_it_is_told_to_stop_holds_up_no_other(tmp_path: Path) -> None:
    """Tune gives its worker the next fit, and ends that without a word when the worker does not come free."""
    search = toy_search(
        task={"name": "tests.orchestrator.execution.tasks:Lingering", "with": {"folds": 1}},
        space={"kind": {"choice": ["diverges", "plain", "bent"]}, "x": {"choice": [0.1, 0.2]}},
    )
    file, environment = written(tmp_path / "s.yaml", search), {"TUNE_FUNCTION_THREAD_TIMEOUT_S": "4"}
    done = orchestrate("search", "--space", file, "--runs", tmp_path / "runs", **environment)
    assert (0, "") == (done.returncode, done.stderr)
    ledger = Ledger(read_journal(tmp_path / "runs" / "s" / "journal.jsonl"))
    states = [trial.state for trial in ledger.trials.values()]
    assert [State.FAILED] * 2 + [State.COMPLETE] * 4 == sorted(states, key=lambda state: state != State.FAILED)
