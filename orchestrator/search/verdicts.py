"""When a fit or a trial is decided, and how: read off the ledger alone, so that a replay comes to the same verdicts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from orchestrator.errors import UserError, printable
from orchestrator.history.failures import Failure
from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import FitKey, State
from orchestrator.task import Metrics

LONGEST_ERROR = 10_000  # characters of a fit's error in the journal


class Verdict(NamedTuple):
    """What becomes of a fit: its state, and of one that failed the error and its class. Running: nothing yet."""

    state: State
    error: str | None = None
    failure: Failure | None = None


def failed(failure: Failure, error: str) -> Verdict:
    """Return the verdict on a fit that failed."""
    return Verdict(State.FAILED, printable(error, most=LONGEST_ERROR), failure)


def divergence(metrics: Metrics) -> str | None:
    """Return what is wrong with a step's metrics; None where every one is a finite number."""
    wrong = [f"{name} is {value}" for name, value in metrics.items() if not math.isfinite(value)]
    return f"diverged: {', '.join(wrong)}" if wrong else None


def require(metric: str, metrics: Metrics) -> None:
    """Raise UserError where a step has not got the metric by which a search judges."""
    if metric not in metrics:
        raise UserError(
            f"metric: {metric} is not among what the task reports: {', '.join(sorted(metrics))}; correct the spec"
        )


def differences_between(first: Metrics, again: Metrics) -> Iterator[str]:
    """Yield each metric of a step that did not come out as before when the step was done again."""
    for name, value in first.items():
        now = again.get(name, math.nan)
        if not math.isclose(value, now, rel_tol=1e-6, abs_tol=1e-9) and math.isfinite(value):
            yield f"{name} = {now:g}, the journal has {value:g}"


def verdict_on_stopped(fit: FitEntry, trials: Mapping[int, TrialEntry], *, stop_at: int | None) -> Verdict:
    """Return what becomes of a fit that was told to stop: it diverged, is of no more use, done, or pruned."""
    step = fit.stopped_at
    if problem := divergence(fit.metrics[step]):
        return failed(Failure.DIVERGED, f"{problem} at step {step}")
    if trials[fit.key.trial].state.is_finished:
        return verdict_on_useless(trials[fit.key.trial])
    if stop_at is not None and step >= stop_at:
        return Verdict(State.COMPLETE)
    return Verdict(State.PRUNED)


def verdict_on_useless(trial: TrialEntry) -> Verdict:
    """Return what becomes of a fit that did not end before its trial was told."""
    return Verdict(State.INCOMPLETE, "another fit of the trial failed" if trial.state is State.FAILED else None)


def verdict_on_returned(fit: FitEntry, *, out_of_budget: bool, max_steps: int) -> Verdict:
    """Return what becomes of a fit whose task came back. Running: to be continued with more budget."""
    if not fit.metrics:
        return failed(Failure.CODE, "the fit returned without having reported a step")
    if out_of_budget and fit.last_step < max_steps:
        return Verdict(State.RUNNING)
    return Verdict(State.COMPLETE)


def verdict_on_trial(ledger: Ledger, trial: TrialEntry, fits: Sequence[FitKey]) -> tuple[State, float | None]:
    """Return the state and the value of a trial that consists of these fits. Running: not decided yet."""
    if trial.duplicate_of is not None:
        original = ledger.trials[trial.duplicate_of]
        return (State.DUPLICATE, original.value) if original.state.is_finished else (State.RUNNING, None)
    states = [ledger.fit(key).state for key in fits]
    if State.FAILED in states:
        return State.FAILED, None
    if State.PRUNED in states:
        return State.PRUNED, None
    if all(state is State.COMPLETE for state in states):
        return State.COMPLETE, ledger.value_of(trial)
    return State.RUNNING, None
