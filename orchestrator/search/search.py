"""One search: journal, ledger and studies kept in step. Says which fit is next and what becomes of what fits report.

Every change is a record that is journaled first and then applied, live and on replay by the same code. Knows no Ray:
whoever executes fits calls next_fit, reported, returned, failed and lost, from one thread.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from orchestrator.errors import Pointless, RunFailed, UserError
from orchestrator.history.journal import Journal
from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import (
    Ask,
    End,
    FitKey,
    Record,
    Reported,
    SearchBegun,
    Stage,
    Start,
    State,
    Tell,
    TestOpened,
)
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.retention import drop_checkpoints, drop_losers
from orchestrator.search.study import Study, draw_seed
from orchestrator.specs.space import cells, complete_config, grid_configs
from orchestrator.specs.specs import SearchSpec, as_data, differences
from orchestrator.task import Fit, Metrics, Parameter, Scalar

log = logging.getLogger(__name__)

MOST_LOSSES = 3  # a fit whose worker died so often without a step in between is failed
SAME_FAILURES = 3  # the first trials failing alike means a mistake in the code or the data, not in a configuration

StartFrom = Callable[[int, int], Path | None]  # (seed index, fold) to the weights that the fit starts from
Listener = Callable[["Search", Record], None]


class Search:
    """A search that can be told everything twice and killed anywhere."""

    def __init__(
        self,
        spec: SearchSpec,
        folder: RunFolder,
        *,
        parameters: Mapping[str, Parameter],
        folds: int,
        data: Scalar,
        incarnation: str,
        start_from: StartFrom = lambda _seed, _fold: None,
        final: bool = False,
        calibrate_from: tuple[Path, ...] = (),
        listener: Listener = lambda _search, _record: None,
    ) -> None:
        self.spec = spec
        self.total = spec.total
        self.folder = folder
        self.data = data
        self.ledger = Ledger()
        self.in_flight: set[FitKey] = set()
        self.gpus_per_fit = 0.0  # whoever executes it knows
        self.final = final
        self._parameters = parameters
        self._incarnation = incarnation
        self._start_from = start_from
        self._calibrate_from = calibrate_from
        self._listener = listener
        self._losses: dict[FitKey, int] = {}
        self._keys = [(seed, fold) for seed in range(spec.seeds) for fold in range(folds)]
        self._folds = folds
        self._described = {**as_data(spec), "facts": {"data": data, "folds": folds}}
        self._grid = grid_configs(spec.space) if spec.sampler == "grid" else None
        self._studies = [Study(spec, cell, index) for index, cell in enumerate(cells(spec.space))]
        self._by_config: dict[tuple[tuple[str, object], ...], int] = {}
        self._opened_at = time.monotonic()
        folder.create()
        self.journal = Journal(folder.journal)
        try:
            self._replay()
        except BaseException:
            self.journal.close()
            raise
        self._elapsed_before = self.ledger.elapsed_s

    # What the executor asks and tells.

    def next_fit(self) -> tuple[FitKey, Fit] | None:
        """Journal and return the fit to start now: unfinished ones first, then a new trial's.

        None: nothing to start now.
        """
        if self.is_out_of_budget:
            return None
        for trial in self._open_trials():
            for key in self._runnable(trial):
                return key, self._started(key)
        while len(self.ledger.trials) < self.total:
            trial = self._ask()
            for key in self._runnable(trial):
                return key, self._started(key)
        return None

    def reported(self, key: FitKey, step: int, metrics: Metrics, checkpoint: str | None) -> bool:
        """Journal a step together with the study's decision; return whether the fit must stop.

        Known steps are compared only.
        """
        fit = self.ledger.fit(key)
        if step in fit.metrics:
            self._compare(fit, step, metrics)
            return fit.decisions[step] == "stop" or self.is_out_of_budget
        decision = self._decision(key, step, metrics)
        self._write(
            Reported(
                trial=key.trial, seed=key.seed, fold=key.fold,
                step=step, metrics=dict(metrics), checkpoint=checkpoint, decision=decision,
            )
        )  # fmt: skip
        self._losses.pop(key, None)
        drop_checkpoints(fit, self.folder, self.spec, final=self.final)
        return decision == "stop" or self.is_out_of_budget

    def returned(self, key: FitKey) -> None:
        """Close a fit that came back, was stopped, or ran out of budget (which leaves it to be continued)."""
        self.in_flight.discard(key)
        fit = self.ledger.fit(key)
        if fit.was_stopped:
            self._end_stopped(fit)
        elif not fit.metrics:
            self._end(fit, State.FAILED, "the fit returned without having reported a step")
        elif self.is_out_of_budget and fit.last_step < self.spec.max_steps:
            return
        else:
            self._end(fit, State.COMPLETE)

    def failed(self, key: FitKey, error: str) -> None:
        """Close a fit that raised an error of the task's code: a failed trial is data."""
        self.in_flight.discard(key)
        self._end(self.ledger.fit(key), State.FAILED, error)

    def lost(self, key: FitKey, error: str, *, with_node: bool = False) -> None:
        """Hand a fit whose worker died to another worker, unless that happens again and again.

        with_node: the whole node went, which is no fault of the fit's.
        """
        self.in_flight.discard(key)
        fit = self.ledger.fit(key)
        if fit.was_stopped:
            self._end_stopped(fit)
            return
        if not with_node:
            self._losses[key] = self._losses.get(key, 0) + 1
        log.warning(
            "trial %d: the worker of seed %d, fold %d died (%s)",
            *key,
            error.splitlines()[-1] if error else "",
        )
        if self._losses.get(key, 0) >= MOST_LOSSES:
            self._end(
                fit,
                State.FAILED,
                f"its worker died {MOST_LOSSES} times in a row without finishing a step: {error}",
            )

    def pin(self, source: str, winner: int) -> None:
        """Journal from which trial of another run the fits start. Raises UserError where that was another before."""
        if self.ledger.winners.get(source, winner) != winner:
            raise UserError(
                f"{self.folder.path}: its first trials started from trial {self.ledger.winners[source]} of {source}, "
                f"whose winner now is trial {winner}; give the search a new --name"
            )
        if source not in self.ledger.winners:
            self._write(Stage(name=source, winner=winner))

    def open_test(self, checkpoints: tuple[str, ...]) -> None:
        """Journal that the sealed part is about to be opened for these checkpoints."""
        self._write(TestOpened(final=self.folder.name, checkpoints=checkpoints))

    def close(self) -> None:
        """Give the journal back."""
        self.journal.close()

    @property
    def is_out_of_budget(self) -> bool:
        """Whether the wall-clock of all starts of this search, or the GPU-hours of its fits, are spent."""
        budget = self.spec.budget
        if budget is None:
            return False
        here = time.monotonic() - self._opened_at
        if budget.minutes is not None and self._elapsed_before + here >= budget.minutes * 60:
            return True
        return budget.gpu_hours is not None and self._fit_hours() * self.gpus_per_fit >= budget.gpu_hours

    def _fit_hours(self) -> float:
        return sum(fit.seconds for trial in self.ledger.trials.values() for fit in trial.fits.values()) / 3600

    @property
    def fits_left(self) -> int:
        """How many fits are still to be run, at most: duplicates and pruned trials need fewer."""
        finished = sum(fit.state.is_finished for trial in self._open_trials() for fit in trial.fits.values())
        return (self.total - len(self.ledger.told())) * len(self._keys) - finished

    @property
    def varied(self) -> set[str]:
        """The names whose values differ between trials."""
        return {name for name, entry in self.spec.space.items() if hasattr(entry, "when")}

    @property
    def is_finished(self) -> bool:
        """Whether every trial of the search is told."""
        return len(self.ledger.told()) >= self.total

    # Replay and records.

    def _replay(self) -> None:
        entries = list(self.journal.entries)
        if not entries:
            self._write(SearchBegun(spec=self._described))
            return
        first = entries[0][0]
        if not isinstance(first, SearchBegun):
            raise RunFailed(f"{self.journal.path}:1: the first record must be the search; restore the file from a copy")
        if changes := list(differences(first.spec, self._described)):
            raise UserError(
                f"{self.folder.path}: holds a search with another spec; give another --name, or undo the difference:",
                *(f"    {change}" for change in changes),
            )
        for record, at in entries:
            self._apply(record, at, replay=True)
        if as_data(self.ledger.spec or self.spec) != as_data(self.spec):  # trials, budget or concurrency
            self._write(SearchBegun(spec=self._described))
        for fit in [fit for trial in self._open_trials() for fit in trial.fits.values()]:
            if fit.was_stopped and not fit.state.is_finished:
                self._end_stopped(fit)
        for trial in self._open_trials():
            self._settle(trial)

    def _write(self, record: Record) -> None:
        entry, at = self.journal.append(record)
        self._apply(entry, at, replay=False)
        self._listener(self, entry)

    def _apply(self, record: Record, at: datetime, *, replay: bool) -> None:
        self.ledger.apply(record, at)
        if isinstance(record, Ask):
            if replay:
                self._study_of(record.trial).ask(record.trial, record.config)
            if self.ledger.trials[record.trial].duplicate_of is None:
                self._by_config[tuple(sorted(record.config.items()))] = record.trial
        elif isinstance(record, Reported) and replay:
            key = FitKey(record.trial, record.seed, record.fold)
            if (decision := self._decision(key, record.step, record.metrics)) != record.decision:
                raise RunFailed(
                    f"{self.journal.path}: trial {record.trial}, step {record.step}: the journal says "
                    f"{record.decision}, on replay the study says {decision}; was it written with "
                    "another version of optuna? Install that one, or give a new --name"
                )
        elif isinstance(record, Tell):
            self._tell_study(record)

    def _tell_study(self, record: Tell) -> None:
        trial = self.ledger.trials[record.trial]
        study = self._study_of(record.trial)
        if trial.duplicate_of is None:
            study.tell(record.trial, record.state, record.value)
            return
        original = self.ledger.trials[trial.duplicate_of]
        first = original.fits.get(FitKey(original.number, 0, 0))
        reports = (
            [(step, row[self.spec.metric]) for step, row in first.metrics.items()] if first and self.spec.prune else []
        )
        study.repeat(record.trial, [row for row in reports if math.isfinite(row[1])], original.state, record.value)

    # Decisions.

    def _study_of(self, number: int) -> Study:
        return self._studies[number % len(self._studies)]

    def _open_trials(self) -> list[TrialEntry]:
        return [
            self.ledger.trials[n] for n in sorted(self.ledger.trials) if not self.ledger.trials[n].state.is_finished
        ]

    def _ask(self) -> TrialEntry:
        number = len(self.ledger.trials)
        cell = number % len(self._studies)
        config = self._study_of(number).ask(number, self._grid[number] if self._grid is not None else None)
        earlier = self._by_config.get(tuple(sorted(config.items())))
        origin = "final" if self.final else "grid" if self._grid is not None else "sampler"
        if earlier is not None:
            origin = f"duplicate of {earlier}"
        self._write(Ask(trial=number, cell=cell, config=config, origin=origin))
        trial = self.ledger.trials[number]
        self._settle(trial)
        return trial

    def _runnable(self, trial: TrialEntry) -> list[FitKey]:
        """Return the trial's fits that may start now.

        With a pruner the first fit must survive before the others start.
        """
        if trial.duplicate_of is not None or trial.state.is_finished:
            return []
        keys = [FitKey(trial.number, seed, fold) for seed, fold in self._keys]
        if self.spec.prune is not None and self.ledger.fit(keys[0]).state is not State.COMPLETE:
            keys = keys[:1]
        return [key for key in keys if key not in self.in_flight and not self.ledger.fit(key).state.is_finished]

    def _started(self, key: FitKey) -> Fit:
        self._write(Start(trial=key.trial, seed=key.seed, fold=key.fold, bundle=None, incarnation=self._incarnation))
        self.in_flight.add(key)
        entry = self.ledger.fit(key)
        directory = self.folder.fit(key)
        newest_first = [directory / entry.checkpoints[step] for step in sorted(entry.checkpoints, reverse=True)]
        resume_from = next((path for path in newest_first if path.exists() and path.stat().st_size), None)
        return Fit(
            trial=key.trial,
            config=complete_config(self.ledger.trials[key.trial].config, self._parameters),
            seed=draw_seed("fit", self.spec.seed, key.seed, key.fold),
            fold=key.fold,
            folds=self._folds,
            max_steps=self.spec.max_steps,
            directory=directory,
            start_from=self._start_from(key.seed, key.fold),
            resume_from=resume_from,
            final=self.final,
            calibrate_from=self._calibrate_from,
        )

    def _decision(self, key: FitKey, step: int, metrics: Metrics) -> str:
        return "stop" if self._problem_with(metrics) or self._decides_to_stop(key, step, metrics) else "continue"

    def _decides_to_stop(self, key: FitKey, step: int, metrics: Metrics) -> bool:
        if self.ledger.trials[key.trial].state.is_finished:
            return True
        if self.spec.prune is None or (key.seed, key.fold) != (0, 0):
            return False
        return self._study_of(key.trial).report(key.trial, step, metrics[self.spec.metric])

    def _problem_with(self, metrics: Metrics) -> str | None:
        if not self.final and self.spec.metric not in metrics:
            raise UserError(
                f"metric: {self.spec.metric} is not among what the task reports: {', '.join(sorted(metrics))}; "
                "correct the spec"
            )
        wrong = [f"{name} is {value}" for name, value in metrics.items() if not math.isfinite(value)]
        return f"diverged: {', '.join(wrong)}" if wrong else None

    def _compare(self, fit: FitEntry, step: int, metrics: Metrics) -> None:
        for name, value in fit.metrics[step].items():
            again = metrics.get(name, math.nan)
            if not math.isclose(value, again, rel_tol=1e-6, abs_tol=1e-9) and math.isfinite(value):
                log.warning(
                    "trial %d: repeated step %d gives %s = %g, the journal has %g",
                    fit.key.trial,
                    step,
                    name,
                    again,
                    value,
                )

    # Ends.

    def _end_stopped(self, fit: FitEntry) -> None:
        problem = self._problem_with(fit.metrics[fit.last_step])
        if problem:
            self._end(fit, State.FAILED, f"{problem} at step {fit.last_step}")
        elif self.ledger.trials[fit.key.trial].state.is_finished:
            self._end(fit, State.INCOMPLETE, "another fit of the trial failed")
        else:
            self._end(fit, State.PRUNED)

    def _end(self, fit: FitEntry, state: State, error: str | None = None) -> None:
        self._write(End(trial=fit.key.trial, seed=fit.key.seed, fold=fit.key.fold, state=state, error=error))
        drop_checkpoints(fit, self.folder, self.spec, final=self.final)
        self._settle(self.ledger.trials[fit.key.trial])

    def _settle(self, trial: TrialEntry) -> None:
        """Tell the trial if it is decided, and then those that repeat it."""
        if trial.state.is_finished:
            return
        state, value = self._verdict(trial)
        if not state.is_finished:
            return
        self._write(Tell(trial=trial.number, state=state, value=value))
        drop_losers(self.ledger, self.folder)
        for other in self._open_trials():
            if other.duplicate_of == trial.number:
                self._settle(other)
        if state is State.FAILED:
            self._stop_if_all_fail_alike()

    def _verdict(self, trial: TrialEntry) -> tuple[State, float | None]:
        if trial.duplicate_of is not None:
            original = self.ledger.trials[trial.duplicate_of]
            return (State.DUPLICATE, original.value) if original.state.is_finished else (State.RUNNING, None)
        states = [self.ledger.fit(FitKey(trial.number, *key)).state for key in self._keys]
        if State.FAILED in states:
            return State.FAILED, None
        if State.PRUNED in states:
            return State.PRUNED, None
        if all(state is State.COMPLETE for state in states):
            return State.COMPLETE, self.ledger.value_of(trial)
        return State.RUNNING, None

    def _stop_if_all_fail_alike(self) -> None:
        if self.final:
            return
        told = [trial for trial in self.ledger.told() if trial.state is not State.DUPLICATE]
        errors = {(trial.error or "").splitlines()[0] for trial in told if trial.error}
        if (
            len(told) >= min(SAME_FAILURES, self.total)
            and len(errors) == 1
            and all(t.state is State.FAILED for t in told)
        ):
            raise Pointless(
                f"{self.folder.path}: the first {len(told)} trials all failed alike, so the search was stopped: "
                f"{told[0].error}\nMend the cause, then give the search a new --name"
            )
