"""Which checkpoints stay on disk: of a running fit what it may need again, of a good trial those that were judged."""

import os
import shutil
from pathlib import Path

from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import State
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import SearchSpec

KEPT_TRIALS = 5  # the best, and those that may tie with it


def drop_checkpoints(fit: FitEntry, folder: RunFolder, spec: SearchSpec, *, final: bool) -> None:
    """Delete what a fit will not need again. The newest two stay while it runs: the last one may be damaged.

    Where fits are judged at a step common to all of a trial, every step may be that one until the trial is complete.
    """
    if spec.score_at == "common_best" and not final and fit.state in (State.RUNNING, State.COMPLETE):
        return
    own_best = spec.score_at == "own_best" and not final
    judged = fit.best_step(spec.metric, spec.mode) if own_best else fit.last_step_with_weights
    kept: set[int | None] = set()
    if fit.state is State.RUNNING:
        kept = {judged, *sorted(fit.checkpoints)[-2:]}
    elif fit.state is State.COMPLETE:
        kept = {judged}
    _drop(fit, folder, kept)


def drop_unjudged(ledger: Ledger, trial: TrialEntry, folder: RunFolder) -> None:
    """Delete the checkpoints of a complete trial but those of the steps at which its fits were judged."""
    for key, step in ledger.judged_steps(trial).items():
        _drop(trial.fits[key], folder, {step})


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


def drop_losers(ledger: Ledger, folder: RunFolder) -> None:
    """Delete the folders of the complete trials that are not kept."""
    kept = {trial.number for trial in kept_trials(ledger)}
    there = set(os.listdir(folder.trials)) if folder.trials.exists() else set()  # once, not a look for each trial
    for trial in ledger.ranked():
        if trial.number not in kept and str(trial.number) in there:
            shutil.rmtree(folder.trial(trial.number), ignore_errors=True)


def drop_complete_fits(trial: TrialEntry, folder: RunFolder) -> None:
    """Delete what the complete fits of a trial kept that was raced out. Those still running are left to themselves."""
    for fit in trial.fits.values():
        for name in fit.checkpoints.values() if fit.state is State.COMPLETE else ():
            (folder.fit(fit.key) / name).unlink(missing_ok=True)


def newest_checkpoint(fit: FitEntry, folder: RunFolder) -> Path | None:
    """Return the last of a fit's checkpoints that is there and not empty: from it the fit goes on."""
    newest_first = [folder.fit(fit.key) / fit.checkpoints[step] for step in sorted(fit.checkpoints, reverse=True)]
    return next((path for path in newest_first if path.exists() and path.stat().st_size), None)


def _drop(fit: FitEntry, folder: RunFolder, kept: set[int | None]) -> None:
    for step, name in fit.checkpoints.items():
        if step not in kept:
            (folder.fit(fit.key) / name).unlink(missing_ok=True)
