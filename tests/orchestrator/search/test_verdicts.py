"""When a fit or a trial is decided: each rule by itself, on entries as a ledger has them."""

import math
from pathlib import Path

import pytest

from orchestrator.errors import Pointless
from orchestrator.history.failures import Failure
from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import FitKey, State
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.same_failures import stop_if_all_failed_alike
from orchestrator.search.verdicts import (
    Verdict,
    differences_between,
    divergence,
    failed,
    verdict_on_returned,
    verdict_on_stopped,
    verdict_on_trial,
)

KEY = FitKey(0, 0, 0)


def fit_of(rows: dict[int, float], *, stopped: bool = False) -> FitEntry:
    decisions = dict.fromkeys(rows, "continue") | ({max(rows): "stop"} if stopped else {})
    return FitEntry(KEY, metrics={step: {"score": score} for step, score in rows.items()}, decisions=decisions)


def trials_with(state: State) -> dict[int, TrialEntry]:
    return {0: TrialEntry(0, 0, {}, "grid", state=state)}


@pytest.mark.parametrize(
    ("rows", "trial", "verdict"),
    [
        ({1: 0.5, 2: math.nan}, State.RUNNING, failed(Failure.DIVERGED, "diverged: score is nan at step 2")),
        ({1: 0.5}, State.FAILED, Verdict(State.INCOMPLETE, "another fit of the trial failed")),
        ({1: 0.5}, State.RUNNING, Verdict(State.PRUNED)),
    ],
)
def test_a_stopped_fit_diverged_or_is_of_no_more_use_or_was_pruned(
    rows: dict[int, float], trial: State, verdict: Verdict
) -> None:
    assert verdict == verdict_on_stopped(fit_of(rows, stopped=True), trials_with(trial), stop_at=None)


def test_what_an_earlier_version_heard_after_a_stop_does_not_count() -> None:
    fit = fit_of({1: 0.5, 2: math.nan, 3: 0.9})
    fit.decisions[2] = "stop"
    diverged = failed(Failure.DIVERGED, "diverged: score is nan at step 2")
    assert diverged == verdict_on_stopped(fit, trials_with(State.RUNNING), stop_at=None)
    fit.decisions[3] = "stop"
    assert diverged == verdict_on_stopped(fit, trials_with(State.RUNNING), stop_at=None)


def test_a_fit_that_was_to_stop_at_its_step_is_complete_there_and_pruned_before() -> None:
    trials = trials_with(State.RUNNING)
    assert Verdict(State.COMPLETE) == verdict_on_stopped(fit_of({1: 0.5, 2: 0.6}, stopped=True), trials, stop_at=2)
    assert Verdict(State.PRUNED) == verdict_on_stopped(fit_of({1: 0.5}, stopped=True), trials, stop_at=2)


@pytest.mark.parametrize(("rows", "state"), [({1: 0.5}, State.RUNNING), ({1: 0.5, 2: 0.6}, State.COMPLETE)])
def test_a_fit_that_returns_when_the_budget_is_spent_is_complete_only_with_its_last_step(
    rows: dict[int, float], state: State
) -> None:
    assert Verdict(state) == verdict_on_returned(fit_of(rows), out_of_budget=True, max_steps=2)


def test_a_fit_that_returns_early_with_budget_left_is_complete() -> None:
    assert Verdict(State.COMPLETE) == verdict_on_returned(fit_of({1: 0.5}), out_of_budget=False, max_steps=2)


def test_one_failed_fit_decides_a_trial_before_a_pruned_one_does() -> None:
    ledger, keys = Ledger(), [FitKey(0, seed, 0) for seed in range(3)]
    trial = ledger.trials[0] = TrialEntry(0, 0, {}, "grid")
    assert (State.RUNNING, None) == verdict_on_trial(ledger, trial, keys)
    ledger.fit(keys[0]).state = State.PRUNED
    assert (State.PRUNED, None) == verdict_on_trial(ledger, trial, keys)
    ledger.fit(keys[2]).state = State.FAILED
    assert (State.FAILED, None) == verdict_on_trial(ledger, trial, keys)


def failed_trial(number: int, error: str, *, origin: str = "grid") -> TrialEntry:
    state = State.DUPLICATE if origin != "grid" else State.FAILED
    key = FitKey(number, 0, 0)
    return TrialEntry(number, 0, {}, origin, fits={key: FitEntry(key, state=state, error=error)}, state=state)


@pytest.mark.parametrize(
    "trials",
    [
        [failed_trial(0, "a"), failed_trial(1, "a")],
        [failed_trial(0, "a"), failed_trial(1, "a"), failed_trial(2, "b")],
        [failed_trial(0, "a"), failed_trial(1, "a"), failed_trial(2, "a", origin="duplicate of 0")],
    ],
)
def test_two_failures_or_two_kinds_of_them_stop_no_search(trials: list[TrialEntry], run: RunFolder) -> None:
    ledger = Ledger()
    ledger.trials = dict(enumerate(trials))
    stop_if_all_failed_alike(ledger, run, total=10)


def test_three_first_trials_that_fail_alike_stop_it_whatever_stands_below_the_first_line(run: RunFolder) -> None:
    ledger = Ledger()
    ledger.trials = dict(enumerate([failed_trial(0, "a\n1"), failed_trial(1, "a\n2"), failed_trial(2, "a\n3")]))
    with pytest.raises(Pointless, match="the first 3 trials all failed alike"):
        stop_if_all_failed_alike(ledger, run, total=10)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_a_step_that_comes_out_otherwise_is_told_with_both_numbers_and_one_that_was_never_a_number_is_not() -> None:
    first = {"score": 0.5, "loss": 1.0, "lost": math.nan}
    again = {"score": 0.5 + 1e-9, "loss": 1.1, "lost": 3.0}
    assert ["loss = 1.1, the journal has 1"] == list(differences_between(first, again))


def test_every_metric_that_is_no_number_is_named() -> None:
    assert "diverged: a is nan, c is inf" == divergence({"a": math.nan, "b": 1.0, "c": math.inf})
    assert divergence({"a": 1.0}) is None
