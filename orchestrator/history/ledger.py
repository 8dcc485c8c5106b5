"""What the records of a journal add up to: trials, their fits, scores and states.

Pure bookkeeping, live and on replay alike.

Decides nothing (see search.py) and knows no Optuna, so that status, table and selection can read any journal at any
time.
"""

import math
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any

from orchestrator.history.failures import Failure
from orchestrator.history.journal_lines import Entry
from orchestrator.history.records import (
    Ask,
    End,
    FitKey,
    Lost,
    Record,
    Reported,
    SearchBegun,
    Stage,
    Start,
    State,
    Tell,
    TestOpened,
)
from orchestrator.history.time_at_work import TimeAtWork
from orchestrator.specs.specs import SearchSpec, from_data
from orchestrator.task import Config, Metrics


@dataclass
class FitEntry:
    """One fit as far as the journal knows it."""

    key: FitKey
    starts: int = 0
    metrics: dict[int, Metrics] = field(default_factory=dict)  # by step
    checkpoints: dict[int, str] = field(default_factory=dict)  # by step, relative to the fit's folder
    decisions: dict[int, str] = field(default_factory=dict)  # by step
    state: State = State.RUNNING
    error: str | None = None
    failure: Failure | None = None  # of what kind the error is, where it failed
    losses: list[tuple[Failure, int]] = field(default_factory=list)  # how it was lost, and after which step
    seconds: float = 0.0  # spent in workers, over all its starts
    last_at: datetime | None = None
    incarnation: str | None = None  # of the driver that handed it to the worker that has it; None: no worker has it

    @property
    def last_step(self) -> int:  # noqa: D102
        return max(self.metrics, default=0)

    @property
    def last_step_with_weights(self) -> int:
        """The last step; of a fit that writes checkpoints the last that has one."""
        return max(self.checkpoints, default=self.last_step)

    def times_lost(self, failure: Failure) -> int:
        """Return how often it was lost in this way since its last step."""
        return self.losses.count((failure, self.last_step))

    @property
    def was_stopped(self) -> bool:
        """Whether the study decided to stop it."""
        return "stop" in self.decisions.values()

    @property
    def stopped_at(self) -> int:
        """The step after which it was to stop; what an earlier version heard of later ones does not count."""
        return min(step for step, decision in self.decisions.items() if decision == "stop")

    def best_step(self, metric: str, mode: str) -> int | None:
        """Return the earliest step with the best value, or None where no step has one.

        Of a fit that writes checkpoints only the steps that have one count: a score without its weights is no use.
        """
        sign = 1.0 if mode == "max" else -1.0
        rows = {step: row for step, row in self.metrics.items() if step in self.checkpoints or not self.checkpoints}
        values = {step: sign * row[metric] for step, row in rows.items() if math.isfinite(row.get(metric, math.nan))}
        return min(values, key=lambda step: (-values[step], step)) if values else None


@dataclass
class TrialEntry:
    """One trial: a configuration, its fits, how it ended."""

    number: int
    cell: int
    config: Config
    origin: str
    fits: dict[FitKey, FitEntry] = field(default_factory=dict)
    state: State = State.RUNNING
    value: float | None = None

    @property
    def duplicate_of(self) -> int | None:
        """The earlier trial with the same configuration, where there is one."""
        return int(self.origin.removeprefix("duplicate of ")) if self.origin.startswith("duplicate of ") else None

    @property
    def error(self) -> str | None:
        """The first error of its fits."""
        return next((fit.error for fit in self.fits.values() if fit.error), None)


class Ledger:
    """The state of one search, built record by record."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.spec: SearchSpec | None = None
        self.facts: Mapping[str, Any] = {}  # of the data: see search/task_facts.py
        self.trials: dict[int, TrialEntry] = {}
        self.tests_opened: list[TestOpened] = []
        self.winners: dict[str, int] = {}  # by the name of another run: from which of its trials this one's fits start
        self.open: dict[int, TrialEntry] = {}  # those of the trials that were begun and not told, by number
        self.fit_seconds = 0.0  # in workers, of all fits, those side by side added up
        self.longest_step_s = 0.0  # between two signs of life of one fit
        self.incarnation: str | None = None  # of the driver that started a fit last
        self._ranking: list[tuple[float, int]] = []  # of the complete trials, the best first
        self.time_at_work = TimeAtWork()  # of all fits, over all incarnations
        for record, at in entries:
            self.apply(record, at)

    def apply(self, record: Record, at: datetime) -> None:
        """Add one record."""
        match record:
            case SearchBegun():
                self.spec = from_data(record.spec)
                self.facts = record.spec.get("facts", {})
            case Ask():
                trial = TrialEntry(record.trial, record.cell, record.config, record.origin)
                self.trials[record.trial] = self.open[record.trial] = trial
            case Start():
                fit = self.fit(FitKey(record.trial, record.seed, record.fold))
                fit.starts += 1
                fit.last_at = at
                self.incarnation = fit.incarnation = record.incarnation
            case Reported():
                fit = self._touched(record, at)
                fit.metrics[record.step] = record.metrics
                fit.decisions[record.step] = record.decision
                if record.checkpoint is not None:
                    fit.checkpoints[record.step] = record.checkpoint
            case End():
                fit = self._touched(record, at)
                fit.state, fit.error, fit.failure = record.state, record.error, record.failure
                fit.incarnation = None
            case Lost():
                fit = self._touched(record, at)
                fit.losses.append((record.failure, fit.last_step))
                fit.incarnation = None
            case Tell():
                trial = self.trials[record.trial]
                trial.state, trial.value = record.state, record.value
                self.open.pop(record.trial, None)
                if trial.state is State.COMPLETE and trial.value is not None:
                    insort(self._ranking, self.place_of(trial))
            case Stage():
                self.winners[record.name] = record.winner
            case TestOpened():
                self.tests_opened.append(record)

    def fit(self, key: FitKey) -> FitEntry:
        """Return the fit's entry, made where it is new."""
        return self.trials[key.trial].fits.setdefault(key, FitEntry(key))

    def _touched(self, record: Reported | End | Lost, at: datetime) -> FitEntry:
        fit = self.fit(FitKey(record.trial, record.seed, record.fold))
        # Ends that were decided elsewhere may be written by a later driver, and the time between was nobody's.
        if fit.was_stopped or (isinstance(record, End) and record.state is State.INCOMPLETE):
            return fit
        if fit.last_at is not None:
            passed = max(0.0, (at - fit.last_at).total_seconds())
            if not isinstance(record, Lost):  # which may have come long after it did anything
                self.longest_step_s = max(self.longest_step_s, passed)
            fit.seconds += passed
            self.fit_seconds += passed
            self.time_at_work.add(fit.last_at, at)
        fit.last_at = at
        return fit

    @property
    def elapsed_s(self) -> float:
        """Wall-clock during which fits were at work, over all incarnations."""
        return self.time_at_work.seconds

    def told(self) -> list[TrialEntry]:
        """Return the finished trials by number."""
        return [self.trials[number] for number in sorted(self.trials) if self.trials[number].state.is_finished]

    @property
    def count_told(self) -> int:
        """How many trials are finished."""
        return len(self.trials) - len(self.open)

    def ranked(self, most: int | None = None) -> list[TrialEntry]:
        """Return the complete trials, at most so many, the best first; equal values by number."""
        return [self.trials[number] for _value, number in self._ranking[:most]]

    def place_of(self, trial: TrialEntry) -> tuple[float, int]:
        """Return by what complete trials are ranked: the better one's is smaller."""
        sign = 1.0 if self.spec is not None and self.spec.mode == "min" else -1.0
        return sign * (trial.value or 0.0), trial.number

    def judged_steps(self, trial: TrialEntry) -> dict[FitKey, int]:
        """Return the step at which each complete fit of a trial is judged, as the spec's `score_at` says.

        A fit without a finite value at such a step is left out.
        """
        assert self.spec is not None
        metric, mode = self.spec.metric, self.spec.mode
        complete = {key: trial.fits[key] for key in sorted(trial.fits) if trial.fits[key].state is State.COMPLETE}
        match self.spec.score_at:
            case "own_best":
                steps = {key: fit.best_step(metric, mode) for key, fit in complete.items()}
            case "common_best":
                common = _best_common_step(list(complete.values()), metric, mode)
                steps = dict.fromkeys(complete, common)
            case "last":
                steps = {key: fit.last_step_with_weights for key, fit in complete.items()}
        return {
            key: step
            for key, step in steps.items()
            if step is not None and math.isfinite(complete[key].metrics[step].get(metric, math.nan))
        }

    def scores_by_fit(self, trial: TrialEntry) -> dict[tuple[int, int], float]:
        """Return the scores of a trial's complete fits by (seed, fold); a duplicate has those of its original."""
        assert self.spec is not None
        if trial.duplicate_of is not None:
            return self.scores_by_fit(self.trials[trial.duplicate_of])
        steps = self.judged_steps(trial)
        return {(key.seed, key.fold): trial.fits[key].metrics[step][self.spec.metric] for key, step in steps.items()}

    def size_of(self, trial: TrialEntry) -> float:
        """Return how many weights a trial's model has, as its fits reported (`parameters`); 0 where they did not."""
        return self.largest(trial, "parameters")

    def largest(self, trial: TrialEntry, metric: str) -> float:
        """Return the largest value of a metric among a trial's fits where they are judged; 0 where none reported it."""
        steps = self.judged_steps(trial)
        return max((trial.fits[key].metrics[step].get(metric, 0.0) for key, step in steps.items()), default=0.0)

    def scores(self, trial: TrialEntry) -> list[float]:
        """Return the scores of a trial's complete fits, by seed and fold."""
        return list(self.scores_by_fit(trial).values())

    def value_of(self, trial: TrialEntry) -> float | None:
        """Return the mean over the fits' scores, the trial's value."""
        scores = self.scores(trial)
        return fmean(scores) if scores else None


def _best_common_step(fits: Sequence[FitEntry], metric: str, mode: str) -> int | None:
    """Return the earliest step at which the mean over fits is best, of those that all have (with weights, if any)."""
    sign = 1.0 if mode == "max" else -1.0
    steps = set.intersection(*(set(fit.checkpoints or fit.metrics) for fit in fits)) if fits else set()
    means = {step: sign * fmean(fit.metrics[step].get(metric, math.nan) for fit in fits) for step in steps}
    finite = {step: mean for step, mean in means.items() if math.isfinite(mean)}
    return min(finite, key=lambda step: (-finite[step], step)) if finite else None


def as_texts(config: Config) -> Mapping[str, str]:
    """Return a configuration's values as text, numbers in their shortest exact form."""
    return {
        name: "" if value is None else repr(value) if isinstance(value, float) else str(value)
        for name, value in config.items()
    }
