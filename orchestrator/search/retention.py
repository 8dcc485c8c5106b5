"""Which checkpoints stay on disk: of a running fit what it may need again, of a good trial those that were judged."""

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import State
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import SearchSpec

KEPT_TRIALS = 5  # the best, and those that may tie with it


class Retention:
    """Deletes what a search will not need again, as soon as that is known. The trials of a final answer together.

    What it does when a trial is told takes as long at the ten thousandth as at the tenth.
    """

    def __init__(self, ledger: Ledger, folder: RunFolder, spec: SearchSpec, *, final: bool) -> None:
        self._ledger, self._folder, self._spec, self._final = ledger, folder, spec, final
        self._best_of_size: dict[float, TrialEntry] = {}

    def opened(self) -> None:
        """Delete the losers that a driver left which died before it deleted them; once, when all is replayed."""
        for trial in self._ledger.ranked():
            self._best_of_size.setdefault(self._ledger.size_of(trial), trial)
        if not self._final:
            kept = {trial.number for trial in kept_trials(self._ledger)}
            there = set(os.listdir(self._folder.trials)) if self._folder.trials.exists() else set()
            self._drop(one for one in self._ledger.ranked() if one.number not in kept and str(one.number) in there)

    def reported(self, fit: FitEntry) -> None:
        """Delete what a fit will not need again. The newest two stay while it runs: the last one may be damaged.

        Where fits are judged at a step common to all of a trial, every step may be that one until the trial is
        complete.
        """
        spec, final = self._spec, self._final
        if spec.score_at == "common_best" and not final and fit.state in (State.RUNNING, State.COMPLETE):
            return
        own_best = spec.score_at == "own_best" and not final
        judged = fit.best_step(spec.metric, spec.mode) if own_best else fit.last_step_with_weights
        kept: set[int | None] = set()
        if fit.state is State.RUNNING:
            kept = {judged, *sorted(fit.checkpoints)[-2:]}
        elif fit.state is State.COMPLETE:
            kept = {judged}
        self._drop_steps(fit, kept)

    def told(self, trial: TrialEntry) -> None:
        """Delete what a trial and its fits kept that are of no more use, and a trial that it puts out of the ranks."""
        if trial.state is State.PRUNED:  # raced out; fits that still run are left to themselves
            for fit in trial.fits.values():
                if fit.state is State.COMPLETE:
                    self._drop_steps(fit, set())
        if trial.state is State.COMPLETE and not self._final:
            for key, step in self._ledger.judged_steps(trial).items():
                self._drop_steps(trial.fits[key], {step})
            self._drop_displaced(trial)

    def _drop_displaced(self, trial: TrialEntry) -> None:
        """Delete what a trial that is complete now puts out of those that are kept, be it the trial itself."""
        if trial.value is None:
            return
        size, place = self._ledger.size_of(trial), self._ledger.place_of
        before = self._best_of_size.setdefault(size, trial)
        if place(trial) < place(before):
            self._best_of_size[size] = trial
        ranked = self._ledger.ranked(KEPT_TRIALS + 1)
        in_ranks = {one.number for one in ranked[:KEPT_TRIALS]}
        displaced = ranked[KEPT_TRIALS:] if trial.number in in_ranks else []
        self._drop(
            one
            for one in {one.number: one for one in (trial, before, *displaced)}.values()
            if not (one.number in in_ranks or one.origin == "default" or self._is_best_of_its_size(one))
        )

    def _is_best_of_its_size(self, trial: TrialEntry) -> bool:
        return self._best_of_size[self._ledger.size_of(trial)] is trial

    def _drop(self, trials: Iterable[TrialEntry]) -> None:
        for trial in trials:
            shutil.rmtree(self._folder.trial(trial.number), ignore_errors=True)

    def _drop_steps(self, fit: FitEntry, kept: set[int | None]) -> None:
        for step, name in fit.checkpoints.items():
            if step not in kept:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # a fit may have deleted its folder
                    (self._folder.fit(fit.key) / name).unlink()


def kept_trials(ledger: Ledger) -> list[TrialEntry]:
    """Return the complete trials whose weights stay: the best, and all that may yet win or be compared with.

    A winner may be worse than the best if it is simpler (selection.py): the best of each size stays, and the default.
    """
    ranked = ledger.ranked()
    sizes: dict[float, int] = {}
    for trial in ranked:
        sizes.setdefault(ledger.size_of(trial), trial.number)
    best_of_size = set(sizes.values())
    return [
        trial
        for place, trial in enumerate(ranked)
        if place < KEPT_TRIALS or trial.number in best_of_size or trial.origin == "default"
    ]


def newest_checkpoint(fit: FitEntry, folder: RunFolder) -> Path | None:
    """Return the last of a fit's checkpoints that is there and not empty: from it the fit goes on."""
    newest_first = [folder.fit(fit.key) / fit.checkpoints[step] for step in sorted(fit.checkpoints, reverse=True)]
    return next((path for path in newest_first if path.exists() and path.stat().st_size), None)
