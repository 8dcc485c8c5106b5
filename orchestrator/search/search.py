"""One search: journal, ledger and suggestions in step. Says which fit is next and what becomes of what fits report.

Every change is a record that is journaled first and then applied, live and on replay by the same code. Knows no Ray:
whoever executes fits calls next_fit, reported, returned, failed and lost, from one thread.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.errors import UserError
from orchestrator.history.failures import Failure
from orchestrator.history.first_record import first_spec, refuse_another
from orchestrator.history.journal import AnyJournal, Journal
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
from orchestrator.search.agenda import Agenda
from orchestrator.search.budget import Spending
from orchestrator.search.decisions import Decisions
from orchestrator.search.fit_to_run import fit_to_run
from orchestrator.search.lineage import Lineage
from orchestrator.search.reports import Reports
from orchestrator.search.retention import Retention
from orchestrator.search.retries import after_loss
from orchestrator.search.same_failures import stop_if_all_failed_alike
from orchestrator.search.side_by_side import warn_of_another_order
from orchestrator.search.suggestions import Suggestions
from orchestrator.search.task_facts import TaskFacts
from orchestrator.search.verdicts import Verdict, failed, verdict_on_returned, verdict_on_stopped, verdict_on_useless
from orchestrator.specs.specs import SearchSpec, as_data, as_today, differences
from orchestrator.task import Fit, Metrics

Listener = Callable[["Search", Record], None]


class Search:
    """A search that can be told everything twice and killed anywhere."""

    def __init__(
        self,
        spec: SearchSpec,
        folder: RunFolder,
        *,
        facts: TaskFacts,
        incarnation: str,
        lineage: Lineage = Lineage(),  # noqa: B008  frozen
        listener: Listener = lambda _search, _record: None,
        may_fail: bool = False,  # trials that all fail alike are no reason to stop
        journal: AnyJournal | None = None,  # None: the folder's
    ) -> None:
        self.spec = spec
        self.total = spec.total
        self.folder = folder
        self.ledger = Ledger()
        self.in_flight: set[FitKey] = set()
        self._waiting: set[FitKey] = set()  # those of them that no worker has yet
        self.fits_left = 0  # at most; no property: another thread reads it (pool_size.py) while what it counts changes
        self._incarnation, self._lineage = incarnation, lineage
        self._listener, self._may_fail = listener, may_fail
        self._reports = Reports(folder)
        self._retention = Retention(self.ledger, folder, spec, final=lineage.final)
        self._agenda = Agenda(spec, self.ledger, folds=facts.folds)
        folder.create()
        self.journal = journal or Journal(folder.journal)
        try:
            self.facts = facts.as_begun(self._begun().get("facts", {}))
            self._described = {**as_data(spec), "facts": self.facts.recorded()}
            self._suggestions = Suggestions(spec, self.ledger, defaults=self.facts.defaults, final=lineage.final)
            self._decisions = Decisions(spec, self.ledger, self._suggestions, final=lineage.final, path=folder.journal)
            self._replay()
            self.fits_left = self._agenda.fits_left()
        except BaseException:
            self.journal.close()
            raise
        self.spending = Spending(spec.budget, self.ledger, at_work=lambda: self.in_flight - self._waiting)

    # What the executor asks and tells.

    def next_fit(self, *, waits: bool = False) -> tuple[FitKey, Fit] | None:
        """Return the fit to start now, if any: unfinished ones first. waits: for a worker; `begun` says when."""
        if self.spending.is_over:
            return None
        for trial in self._to_be_run():
            for key in self._agenda.unfinished(trial):
                if key not in self.in_flight:
                    return key, self._handed_out(key, waits=waits)
        return None

    def reported(self, key: FitKey, step: int, metrics: Metrics, checkpoint: str | None) -> bool:
        """Journal a step together with the study's decision; return whether the fit must stop.

        Known steps are compared only, what comes after a stop is not heard, who breaks a rule (reports.py) has failed.
        """
        fit = self._at_work(key)
        if fit.was_stopped or self._reports.refuse(fit, step, metrics, checkpoint, max_steps=self._steps_of(key)):
            return True
        if step in fit.metrics:
            return self.spending.is_over
        step, row = int(step), dict(metrics)  # of numpy's, too
        decision = self._decisions.of(key, step, metrics)
        self._write(Reported(**key._asdict(), step=step, metrics=row, checkpoint=checkpoint, decision=decision))
        self._retention.reported(fit)
        return decision == "stop" or self.spending.is_over

    def begun(self, key: FitKey) -> None:
        """Take note that a worker has a fit, perhaps another one than before, and may report what is known again."""
        if key in self._waiting:
            self._waiting.remove(key)
            self._write(Start(**key._asdict(), bundle=None, incarnation=self._incarnation))
        self._reports.begun(key)

    def returned(self, key: FitKey) -> None:
        """Close a fit that came back, was stopped, or ran out of budget (which leaves it to be continued)."""
        fit = self._over(key)
        if fit.state.is_finished:
            return
        verdict = verdict_on_returned(fit, out_of_budget=self.spending.is_over, max_steps=self._steps_of(key))
        if verdict.state.is_finished:
            self._end(fit, verdict)

    def failed(self, key: FitKey, error: str) -> None:
        """Close a fit that raised an error of the task's code: a failed trial is data."""
        fit = self._over(key)
        if not fit.state.is_finished:
            self._end(fit, failed(Failure.CODE, error))

    def lost(self, key: FitKey, error: str, failure: Failure = Failure.WORKER) -> None:
        """Hand a fit that was lost with its worker to another one, unless it has failed with that (retries.py)."""
        fit = self._over(key)
        if fit.state.is_finished:
            return
        follows = after_loss(fit, failure, error, halve=self.spec.halves_batches)
        self._end(fit, follows) if isinstance(follows, Verdict) else self._write(follows)

    def taken_back(self, key: FitKey) -> None:
        """Take back a fit that no worker came to have."""
        self.in_flight.discard(key)
        self._waiting.discard(key)

    def _at_work(self, key: FitKey) -> FitEntry:
        if key in self._waiting:
            self.begun(key)
        return self.ledger.fit(key)

    def _over(self, key: FitKey) -> FitEntry:
        """Return a fit that runs no more, ended where that was decided before it came back, however it came."""
        fit, refused = self._at_work(key), self._reports.over(key)
        self.in_flight.discard(key)
        if fit.was_stopped:
            self._end(fit, self._verdict_on_stopped(fit))
        elif refused:
            self._end(fit, failed(Failure.CODE, refused))
        return fit

    # What whoever runs it from beginning to end asks and tells.

    def pin(self, source: str, winner: int) -> None:
        """Journal from which trial of another run the fits start. Raises UserError where that was another before."""
        if self.ledger.winners.get(source, winner) != winner:
            raise UserError(
                f"{self.folder.path}: its first trials started from trial {self.ledger.winners[source]} of {source}, "
                f"whose winner now is trial {winner}; give the search a new --name"
            )
        if source not in self.ledger.winners:
            self._write(Stage(name=source, winner=winner))

    def adopt(self, number: int, source: TrialEntry, steps: Mapping[FitKey, int]) -> None:
        """Take over another search's finished trial, each fit as far as the step given; checkpoints must lie here."""
        if number not in self.ledger.trials:
            self._write(Ask(trial=number, cell=0, config=source.config, origin="final"))
        for key, last in steps.items():
            fit = self.ledger.fit(key._replace(trial=number))
            if fit.state.is_finished:
                continue
            self._write(Start(**fit.key._asdict(), bundle=None, incarnation=self._incarnation))
            theirs = source.fits[key]
            for step in sorted(step for step in theirs.metrics if step <= last and step not in fit.metrics):
                kept = theirs.checkpoints.get(step) if step == last else None
                row = {**fit.key._asdict(), "step": step, "metrics": theirs.metrics[step], "checkpoint": kept}
                self._write(Reported(**row, decision="continue"))
            self._end(fit, Verdict(State.COMPLETE))

    def open_test(self, checkpoints: tuple[str, ...]) -> None:
        """Journal that the sealed part is about to be opened for these checkpoints."""
        self._write(TestOpened(final=self.folder.name, checkpoints=checkpoints))

    def close(self) -> None:
        """Give the journal back."""
        self.journal.close()

    @property
    def is_finished(self) -> bool:
        """Whether every trial of the search is told."""
        return self.ledger.count_told >= self.total

    # Replay and records.

    def _begun(self) -> Mapping[str, Any]:
        return first_spec(self.journal, of="search") if self.journal.entries else {}

    def _replay(self) -> None:
        entries = list(self.journal.entries)
        if not entries:
            self._write(SearchBegun(spec=self._described))
            return
        begun = as_today(self._begun())
        begun["facts"] = {**self.facts.recorded(), **begun.get("facts", {}), "defaults": dict(self.facts.defaults)}
        refuse_another(self.folder, differences(begun, self._described), of="a search")
        for record, at in entries:
            self._decisions.apply(record, at, replay=True)
        self._retention.opened()
        warn_of_another_order(self.ledger, self.spec, self.folder.path)
        if as_data(self.ledger.spec or self.spec) != as_data(self.spec):  # trials, budget or concurrency
            self._write(SearchBegun(spec=self._described))
        for fit in [fit for trial in self._agenda.open_trials() for fit in trial.fits.values()]:
            if fit.was_stopped and not fit.state.is_finished:
                self._end(fit, self._verdict_on_stopped(fit))
        for trial in self._agenda.open_trials():
            self._settle(trial)
        for trial in self.ledger.told():
            for fit in trial.fits.values():
                if fit.starts and not fit.state.is_finished:  # it was in flight when another fit decided the trial
                    self._end(fit, verdict_on_useless(trial))

    def _write(self, record: Record) -> None:
        entry, at = self.journal.append(record)
        self._decisions.apply(entry, at, replay=False)
        if isinstance(record, End | Tell):
            self.fits_left = self._agenda.fits_left()
        self._listener(self, entry)

    # Starts and ends.

    def _to_be_run(self) -> Iterator[TrialEntry]:
        yield from self._agenda.open_trials()
        while len(self.ledger.trials) < self.total:
            yield self._asked()

    def _asked(self) -> TrialEntry:
        record = self._suggestions.next()
        self._write(record)
        trial = self.ledger.trials[record.trial]
        self._settle(trial)
        return trial

    def _steps_of(self, key: FitKey) -> int:
        return self.spec.max_steps if self._lineage.final else self.spec.steps_of(self.ledger.trials[key.trial].config)

    def _handed_out(self, key: FitKey, *, waits: bool) -> Fit:
        self.in_flight.add(key)
        self._waiting.add(key)
        if not waits:
            self.begun(key)
        config = self.ledger.trials[key.trial].config
        return fit_to_run(self.ledger.fit(key), config, self.spec, self.folder, facts=self.facts, lineage=self._lineage)

    def _verdict_on_stopped(self, fit: FitEntry) -> Verdict:
        return verdict_on_stopped(fit, self.ledger.trials, stop_at=self.spec.stop_at)

    def _end(self, fit: FitEntry, verdict: Verdict) -> None:
        self._write(End(**fit.key._asdict(), **verdict._asdict()))
        self._retention.reported(fit)
        self._settle(self.ledger.trials[fit.key.trial])

    def _settle(self, trial: TrialEntry) -> None:
        """Tell the trial if it is decided, and then those that repeat it."""
        if trial.state.is_finished:
            return
        state, value = self._agenda.verdict(trial)
        if not state.is_finished:
            return
        self._write(Tell(trial=trial.number, state=state, value=value))
        self._retention.told(trial)
        for other in self._agenda.open_trials():
            if other.duplicate_of == trial.number:
                self._settle(other)
        if state is State.FAILED and not (self._lineage.final or self._may_fail):
            stop_if_all_failed_alike(self.ledger, self.folder, total=self.total)
