"""Which fits are still to be run, in which order: unfinished trials by number, of each the fits by seed and fold."""

from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import FitKey, State
from orchestrator.search.racing import is_raced_out
from orchestrator.search.verdicts import verdict_on_trial
from orchestrator.specs.specs import SearchSpec


class Agenda:
    """The fits of one search, read off its ledger. A trial has one for each seed and fold."""

    def __init__(self, spec: SearchSpec, ledger: Ledger, *, folds: int) -> None:
        self._ledger = ledger
        self._total = spec.total
        self._first_decides = spec.prune is not None
        self._race = spec.race
        self._fits = [(seed, fold) for seed in range(spec.seeds) for fold in range(folds)]

    def open_trials(self) -> list[TrialEntry]:
        """Return the trials that were begun and not told, by number."""
        return list(self._ledger.open.values())

    def unfinished(self, trial: TrialEntry) -> list[FitKey]:
        """Return the trial's fits that may run now. With a pruner the first must survive before the others start."""
        if trial.duplicate_of is not None or trial.state.is_finished:
            return []
        keys = self._keys(trial)
        if self._first_decides and self._ledger.fit(keys[0]).state is not State.COMPLETE:
            keys = keys[:1]
        return [key for key in keys if not self._ledger.fit(key).state.is_finished]

    def fits_left(self) -> int:
        """Return how many fits are still to be run, at most: duplicates and pruned trials need fewer."""
        finished = sum(fit.state.is_finished for trial in self.open_trials() for fit in trial.fits.values())
        return (self._total - self._ledger.count_told) * len(self._fits) - finished

    def verdict(self, trial: TrialEntry) -> tuple[State, float | None]:
        """Return the state and the value of a trial. Running: not decided yet."""
        state, value = verdict_on_trial(self._ledger, trial, self._keys(trial))
        if state is State.RUNNING and self._race and trial.duplicate_of is None:
            raced_out = is_raced_out(self._ledger, trial, confidence=self._race.confidence)
            return (State.PRUNED if raced_out else State.RUNNING), None
        return state, value

    def _keys(self, trial: TrialEntry) -> list[FitKey]:
        return [FitKey(trial.number, seed, fold) for seed, fold in self._fits]
