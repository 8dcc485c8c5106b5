"""A copy of a run in MLflow, for reading and serving: derived from the journal by the driver alone, safe to repeat.

Parent: the search or experiment; children: stages, trials, the final. Each MLflow run carries the run's own id as a
tag, and a second tag when it is complete: a copy cut short is completed by the next one, a whole one is left alone.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.errors import RunFailed, first_line
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.openings import read_test
from orchestrator.history.records import State
from orchestrator.history.run_contents import candidates_of, experiment_of, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.mlflow_answer import Answer, answer_of
from orchestrator.results.mlflow_names import names_for, value_for
from orchestrator.results.mlflow_registration import OPENINGS, register_final
from orchestrator.results.mlflow_store import Logged, Point, Store, open_store, store_uri
from orchestrator.results.promotion import promotion_of, unasked
from orchestrator.search.intervals import interval_of

# The tags by which runs are known again. What is complete, and of a parent, which grows, what was copied last.
_ID, _DONE, _COPIED = "orchestrate.id", "orchestrate.complete", "orchestrate.copied"
# Of a final: as what its model was registered last (promotion.py), which a resume may ask for anew.
_REGISTERED = "orchestrate.registered"
# A run's description, and which one we wrote: what somebody else wrote there stays.
_NOTE, _OUR_NOTE = "mlflow.note.content", "orchestrate.description"


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What became of a copy."""

    place: str | None  # where it can be read; None: it is missing
    notes: Sequence[str] = ()  # what a person should know: why it is missing, what was wrong with the store


class NotCopied(RunFailed):
    """A run that MLflow does not have, or not all of; `store_is_away`: nor would it have any other."""

    def __init__(self, message: str, *, store_is_away: bool) -> None:
        super().__init__(message)
        self.store_is_away = store_is_away


def copy_run(folder: RunFolder) -> Copied:
    """Copy a run, from whatever state it is in, into MLflow (MLFLOW_TRACKING_URI, else mlflow.db beside the runs).

    Raises NotCopied where the store cannot be written; the run is whole then, and copying it again is safe.
    """
    is_open = False
    try:
        with open_store(folder.path.parent, write=True) as store:
            is_open = True
            run = _RunCopy(store, folder).copy()
            return Copied(place=f"{store.uri}, experiment {folder.name}, run {run}", notes=store.notes)
    except Exception as error:  # a store may be away or full in any way; the run itself is whole
        raise NotCopied(
            f"MLflow at {store_uri(folder.path.parent)} has no whole copy of {folder.name} "
            f"({type(error).__name__}: {first_line(error)}); `orchestrate sync {folder.name}` copies it",
            store_is_away=not is_open,
        ) from error


class _RunCopy:
    """One run, and the MLflow experiment of its name."""

    def __init__(self, store: Store, folder: RunFolder) -> None:
        self._store, self._folder = store, folder
        self._born = read_journal(folder.journal)[0][1]
        self._experiment = store.experiment(folder.name, artifacts=folder.path.parent / "mlflow")
        self._known = {run.tags[_ID]: run for run in store.runs(self._experiment) if _ID in run.tags}

    def copy(self) -> str:
        folder, experiment = self._folder, experiment_of(self._folder)
        parent = self._run(folder.name, identity=folder.name, parent=None, at=self._born)
        tested = read_test(folder.final) if folder.final.test.exists() else None
        begun = [stage for stage in searches_of(folder) if read_journal(stage.journal)]
        ledgers = {stage.path: Ledger(read_journal(stage.journal)) for stage in begun}
        stages = [(ledgers[stage.path], stage) for stage in begun]
        competing = [one.path for one in candidates_of(experiment, folder)] if experiment else [folder.path]
        answer = answer_of(
            folder,
            [(ledger, stage) for ledger, stage in stages if stage.path in competing],
            stages=stages if experiment else (),
            tested=tested,
        )
        points = self._final(parent, tested, answer) if tested else []
        if experiment is None:
            self._search(folder, ledgers[folder.path], parent, folder.name, answer, points)
            return parent.id
        statuses = []
        for ledger, stage in stages:
            identity = f"{folder.name}/{stage.name}"
            run = self._run(stage.name, identity=identity, parent=parent, at=read_journal(stage.journal)[0][1])
            own = answer_of(stage, [(ledger, stage)])
            statuses.append(self._search(stage, ledger, run, identity, own, []))
        ended = "FAILED" if "FAILED" in statuses else "KILLED"
        last = read_journal(folder.journal)[-1][1]
        self._grown(folder, parent, "FINISHED" if tested else ended, answer, points, last)
        return parent.id

    def _run(self, name: str, *, identity: str, parent: Logged | None, at: datetime) -> Logged:
        """Return the MLflow run for this identity: the one there is, or a new one."""
        tags = {_ID: f"{identity} {self._born.isoformat()}", "mlflow.runName": name}
        if parent is not None:
            tags["mlflow.parentRunId"] = parent.id
        if tags[_ID] not in self._known:
            self._known[tags[_ID]] = self._store.create(self._experiment, tags, at=_ms(at))
        return self._known[tags[_ID]]

    def _search(
        self,
        folder: RunFolder,
        ledger: Ledger,
        run: Logged,
        identity: str,
        answer: Answer | None,
        points: Sequence[Point],
    ) -> str:
        """Copy a search: a child for each finished trial; return how it ended."""
        entries = read_journal(folder.journal)
        last = entries[-1][1]
        assert ledger.spec is not None
        for trial in ledger.told():
            name, began, ended = f"trial {trial.number}", *_times(trial, otherwise=entries[0][1])
            child = self._run(name, identity=f"{identity}/{trial.number}", parent=run, at=began)
            status = "FAILED" if trial.state is State.FAILED else "FINISHED"
            if _DONE not in child.tags:
                self._trial(child, ledger, trial, ended)
                self._store.log(child.id, tags={_DONE: "true"})
            if child.status != status:
                self._store.end(child.id, status, at=_ms(ended))
        best = ledger.ranked(1)
        value = None if not best else best[0].value
        if value is not None:
            name = names_for([ledger.spec.metric])[ledger.spec.metric]
            points = [Point(name, value, _ms(last), ledger.count_told), *points]
        status = _status(folder, ledger)
        self._grown(folder, run, status, answer, points, last)
        return status

    def _grown(
        self,
        folder: RunFolder,
        run: Logged,
        status: str,
        answer: Answer | None,
        points: Sequence[Point],
        at: datetime,
    ) -> None:
        """Bring a search or an experiment, which may have gone on since, to what it is now."""
        files = list(_files_of(folder))
        if answer is not None:
            points = [*(Point(name, value, _ms(at), 0) for name, value in answer.metrics.items()), *points]
        hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path, _below in files]
        now = _hash_of("\n".join([status, str(points), str(answer), *hashes]))
        if run.tags.get(_COPIED) == now and run.status == status:
            return
        self._store.log(run.id, metrics=[point for point in points if run.metrics.get(point.name) != point.value])
        for path, below in files:
            self._store.log_file(run.id, path, below=below)
        if answer is not None:
            self._store.log(run.id, tags={**answer.tags, **_description(run, answer.description)})
        self._store.end(run.id, status, at=_ms(at))
        self._store.log(run.id, tags={_COPIED: now})

    def _final(self, parent: Logged, tested: Mapping[str, Any], answer: Answer | None) -> list[Point]:
        """Copy the final: scores, predictions, histories, and the model.

        A model that has learnt nothing is marked, and not registered. Returns the test scores, for its parent.
        """
        final = self._folder.final
        entries = read_journal(final.journal)
        began, ended = entries[0][1], entries[-1][1]
        names = names_for(f"test_{name}" for name in tested["metrics"])
        scores = [Point(names[f"test_{name}"], value, _ms(ended), 0) for name, value in tested["metrics"].items()]
        identity = f"{self._folder.name}/final {final.test.stat().st_mtime_ns}"
        child = self._run("final", identity=identity, parent=parent, at=began)
        if _DONE not in child.tags:
            ledger = Ledger(entries)
            self._trial(child, ledger, ledger.trials[0], ended)
            nothing = tested.get("learnt_nothing")
            self._store.log(
                child.id,
                metrics=scores,
                tags={"learnt nothing": nothing} if nothing else {},
            )
            for path in (final.test, final.path / "predictions.csv", self._folder.provenance):
                if path.exists():
                    self._store.log_file(child.id, path)
        promotion = promotion_of(self._folder, tested)
        asked = promotion.identity if promotion else "nothing"
        of_earlier = unasked(self._folder).identity if promotion else "nothing"  # versions, which asked for no more
        done = child.tags.get(_REGISTERED, of_earlier if _DONE in child.tags else None)
        if done != asked:
            register_final(
                self._store,
                self._folder,
                run=child.id,
                experiment=self._experiment,
                answer=answer,
                tested=tested,
                promotion=promotion,
            )
            self._store.log(child.id, tags={_REGISTERED: asked})
        if _DONE not in child.tags:
            self._store.end(child.id, "FINISHED", at=_ms(ended))
            self._store.log(child.id, tags={_DONE: "true"})
        openings = {OPENINGS: str(tested["openings"])}  # today: a later one counts, too
        for run in (child, parent):
            if not openings.items() <= run.tags.items():
                self._store.log(run.id, tags=openings)
        if not openings.items() <= child.tags.items():
            self._store.tag_versions(child.id, openings)
        return scores

    def _trial(self, run: Logged, ledger: Ledger, trial: TrialEntry, ended: datetime) -> None:
        of_values = names_for(trial.config)
        tags = {"state": str(trial.state), "origin": value_for(trial.origin)}
        if trial.error:
            tags["error"] = value_for(trial.error)
        names = names_for(name for fit in trial.fits.values() for row in fit.metrics.values() for name in row)
        history = [
            Point(f"{names[name]}{_which(trial, fit)}", value, _ms(fit.last_at or ended), step)
            for _key, fit in sorted(trial.fits.items())
            for step, row in sorted(fit.metrics.items())
            for name, value in row.items()
        ]
        if trial.value is not None and ledger.spec is not None:
            over_fits = interval_of(ledger, trial) if ledger.scores(trial) else None
            told = {f"{ledger.spec.metric}_{of}": getattr(over_fits, of, None) for of in ("sd", "low", "high")}
            told[f"{ledger.spec.metric}_mean"] = trial.value
            of_mean = names_for(told)
            history += [Point(of_mean[name], value, _ms(ended), 0) for name, value in told.items() if value is not None]
        values = {of_values[name]: value_for(str(value)) for name, value in trial.config.items()}
        self._store.log(run.id, values=values, metrics=history, tags=tags)


def _which(trial: TrialEntry, fit: FitEntry) -> str:
    return "" if len(trial.fits) == 1 else f"/seed{fit.key.seed}-fold{fit.key.fold}"


def _times(trial: TrialEntry, *, otherwise: datetime) -> tuple[datetime, datetime]:
    """Return when a trial's fits began, as nearly as the ledger says it, and when they were last heard of."""
    heard = [(fit.last_at, fit.seconds) for fit in trial.fits.values() if fit.last_at is not None]
    if not heard:  # a duplicate, which has none
        return otherwise, otherwise
    return min(at - timedelta(seconds=seconds) for at, seconds in heard), max(at for at, _seconds in heard)


def _status(folder: RunFolder, ledger: Ledger) -> str:
    """Return how a search ended, in MLflow's words; one that was interrupted was killed, as far as anybody knows."""
    assert ledger.spec is not None
    if ledger.count_told >= ledger.spec.total:
        return "FINISHED" if ledger.ranked(1) else "FAILED"
    return "FINISHED" if folder.winner.exists() else "KILLED"  # it is written when a budget is spent, too


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _files_of(folder: RunFolder) -> Iterator[tuple[Path, str | None]]:
    """Yield each file that people read of a run, and in which folder of its artifacts it belongs."""
    tables = sorted(folder.path.glob("table.*"))
    yield from ((path, None) for path in (folder.report, *tables, folder.winner, folder.spec) if path.is_file())
    drawn = sorted(folder.figures.glob("[!.]*")) if folder.figures.is_dir() else []
    yield from ((path, folder.figures.name) for path in drawn if path.is_file())


def _description(run: Logged, text: str) -> dict[str, str]:
    """Return the tags of a run's description; none where somebody has written another one there."""
    there = run.tags.get(_NOTE)
    if there and _hash_of(there) != run.tags.get(_OUR_NOTE):
        return {}
    text = value_for(text)
    return {_NOTE: text, _OUR_NOTE: _hash_of(text)}


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
