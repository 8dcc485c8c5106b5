"""A search as Optuna's own tools read one: a study in a file of Optuna's JournalStorage, made from our journal.

A copy for looking at; no search reads it. Finished trials only: curves are those of a trial's first fit, by which
pruners decide, and times are those at which fits were at work.
"""

import logging
import math
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from orchestrator.atomic import write_text
from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import State
from orchestrator.specs.dimensions import Cell
from orchestrator.specs.space import holds, suggest

optuna.logging.set_verbosity(logging.ERROR)

_STATES = {State.COMPLETE: TrialState.COMPLETE, State.DUPLICATE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED}


def write_optuna_journal(path: Path, searches: Mapping[str, Ledger]) -> None:
    """Write a study for each search, by its name, to `path`, whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / "journal"
        storage = JournalStorage(JournalFileBackend(str(beside)))
        for name, ledger in searches.items():
            _add(name, ledger, storage)
        write_text(path, beside.read_text())


def _add(name: str, ledger: Ledger, storage: JournalStorage) -> None:
    assert ledger.spec is not None
    direction = StudyDirection.MAXIMIZE if ledger.spec.mode == "max" else StudyDirection.MINIMIZE
    study = optuna.create_study(study_name=name, direction=direction, storage=storage)
    study.set_user_attr("metric", ledger.spec.metric)
    study.add_trials([_frozen(ledger, trial) for trial in ledger.told()])


def _frozen(ledger: Ledger, trial: TrialEntry) -> FrozenTrial:
    state = _STATES.get(trial.state, TrialState.FAIL)
    if state is TrialState.COMPLETE and trial.value is None:
        state = TrialState.FAIL
    drawn = _drawn(ledger, trial)
    attributes = {"trial": trial.number, "state": str(trial.state), "origin": trial.origin, **trial.config}
    frozen = create_trial(
        state=state,
        value=trial.value if state is TrialState.COMPLETE else None,
        params=drawn.params if drawn else {},
        distributions=drawn.distributions if drawn else {},
        user_attrs=attributes,
        intermediate_values=_curve(ledger, trial),
    )
    ends = [fit.last_at for fit in trial.fits.values() if fit.last_at is not None]
    begins = [fit.last_at - timedelta(seconds=fit.seconds) for fit in trial.fits.values() if fit.last_at is not None]
    if ends:  # Optuna's moments are of no zone, and mean the local one
        frozen.datetime_start = min(begins).astimezone().replace(tzinfo=None)
        frozen.datetime_complete = max(ends).astimezone().replace(tzinfo=None)
    return frozen


def _drawn(ledger: Ledger, trial: TrialEntry) -> FrozenTrial | None:
    """Return the configuration with its ranges; None for one outside of them, such as an untuned default's may be."""
    assert ledger.spec is not None
    space = ledger.spec.space
    if not holds(space, trial.config):
        return None
    study = optuna.create_study()
    study.enqueue_trial(dict(trial.config))
    asked = study.ask()
    suggest(space, {name: trial.config[name] for name, entry in space.items() if isinstance(entry, Cell)}, asked)
    return study.trials[0]


def _curve(ledger: Ledger, trial: TrialEntry) -> dict[int, float]:
    assert ledger.spec is not None
    if not trial.fits:
        return {}
    first = trial.fits[min(trial.fits)]
    values = {step: row.get(ledger.spec.metric, math.nan) for step, row in sorted(first.metrics.items())}
    return {step: value for step, value in values.items() if math.isfinite(value)}
