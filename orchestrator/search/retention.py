"""Which checkpoints stay on disk: a running fit's newest two and best, a good trial's best, no others."""

import shutil
from pathlib import Path

from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import State
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import SearchSpec

KEPT_TRIALS = 3  # the winner, and two that may tie with it


def drop_checkpoints(fit: FitEntry, folder: RunFolder, spec: SearchSpec, *, final: bool) -> None:
    """Delete what a fit will not need again. The newest two stay while it runs: the last one may be damaged."""
    best = fit.last_step if final else fit.best_step(spec.metric, spec.mode)
    kept: set[int | None] = set()
    if fit.state is State.RUNNING:
        kept = {best, *sorted(fit.checkpoints)[-2:]}
    elif fit.state is State.COMPLETE:
        kept = {best}
    for step, name in fit.checkpoints.items():
        if step not in kept:
            (folder.fit(fit.key) / name).unlink(missing_ok=True)


def drop_losers(ledger: Ledger, folder: RunFolder) -> None:
    """Delete the folders of the complete trials that are not among the best."""
    for loser in ledger.ranked()[KEPT_TRIALS:]:
        shutil.rmtree(folder.trial(loser.number), ignore_errors=True)


def drop_complete_fits(trial: TrialEntry, folder: RunFolder) -> None:
    """Delete what the complete fits of a trial kept that was raced out. Those still running are left to themselves."""
    for fit in trial.fits.values():
        for name in fit.checkpoints.values() if fit.state is State.COMPLETE else ():
            (folder.fit(fit.key) / name).unlink(missing_ok=True)


def newest_checkpoint(fit: FitEntry, folder: RunFolder) -> Path | None:
    """Return the last of a fit's checkpoints that is there and not empty: from it the fit goes on."""
    newest_first = [folder.fit(fit.key) / fit.checkpoints[step] for step in sorted(fit.checkpoints, reverse=True)]
    return next((path for path in newest_first if path.exists() and path.stat().st_size), None)
