"""Which trial won, how sure that is, and where its weights lie.

The winner has the best mean; the trials that a paired t-test over the same seeds and folds cannot tell from it are
named beside it, because the largest of many noisy numbers is not by itself a finding.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from scipy import stats

from orchestrator.errors import RunFailed
from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import FitKey
from orchestrator.history.run_folder import RunFolder

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over fits; sd and the bounds of its 95 % t-interval are None for a single fit."""

    mean: float
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The best trial of a search."""

    trial: int
    config: dict[str, Any]
    metric: str
    mode: str
    interval: Interval
    scores: list[float]
    best_steps: list[int]
    median_best_step: int
    ties: list[int]

    def as_data(self) -> dict[str, Any]:
        """Return the content of winner.json."""
        data = asdict(self)
        return {**{key: data[key] for key in ("trial", "metric", "mode")}, **data.pop("interval"), **data}


def t_interval(scores: list[float]) -> Interval:
    """Return mean, standard deviation and 95 % t-interval of the scores (one a fit)."""
    if len(scores) < 2:
        return Interval(scores[0], None, None, None)
    mean, sd = fmean(scores), stdev(scores)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(scores) - 1)) * sd / math.sqrt(len(scores))
    return Interval(mean, sd, mean - half, mean + half)


def winner_of(ledger: Ledger, folder: RunFolder) -> Winner:
    """Return the best complete trial. Raises RunFailed where no trial is complete."""
    assert ledger.spec is not None
    ranked = ledger.ranked()
    if not ranked:
        states = sorted({str(trial.state) for trial in ledger.trials.values()})
        raise RunFailed(
            f"{folder.path}: no trial is complete ({', '.join(states) or 'none was begun'}), so there is no winner"
        )
    best = ranked[0]
    metric, mode = ledger.spec.metric, ledger.spec.mode
    steps = [best.fits[key].best_step(metric, mode) for key in sorted(best.fits)]
    scores = ledger.scores(best)
    return Winner(
        trial=best.number,
        config=dict(best.config),
        metric=metric,
        mode=mode,
        interval=t_interval(scores),
        scores=scores,
        best_steps=[step for step in steps if step is not None],
        median_best_step=ledger.median_best_step(best),
        ties=[other.number for other in ranked[1:] if is_tie(scores, ledger.scores(other))],
    )


def is_tie(best: list[float], other: list[float]) -> bool:
    """Return whether a paired t-test (5 %) cannot tell two trials apart.

    With a single fit nothing can be told, so nothing is claimed.
    """
    if len(best) != len(other) or len(best) < 2:
        return False
    differences = [a - b for a, b in zip(best, other, strict=True)]
    mean, error = fmean(differences), stdev(differences) / math.sqrt(len(differences))
    if error == 0:
        return mean == 0
    return bool(abs(mean) / error < stats.t.ppf((1 + CONFIDENCE) / 2, len(differences) - 1))


def checkpoint_of(ledger: Ledger, folder: RunFolder, trial: TrialEntry, *, seed: int, fold: int) -> Path:
    """Return the checkpoint at the best step of one fit of a trial (a final's: at its last).

    Raises RunFailed where it is gone.
    """
    assert ledger.spec is not None
    fit = trial.fits[FitKey(trial.number, seed, fold)]
    best = fit.best_step(ledger.spec.metric, ledger.spec.mode)
    step = fit.last_step if trial.origin == "final" or best is None else best
    if step not in fit.checkpoints:
        raise RunFailed(
            f"{folder.fit(fit.key)}: the task reported no checkpoint at step {step}, so there are no weights"
        )
    path = folder.fit(fit.key) / fit.checkpoints[step]
    if not path.exists():
        raise RunFailed(f"{path}: the checkpoint of trial {trial.number}, step {step}, is not there; was it deleted?")
    return path


def winner_checkpoints(ledger: Ledger, folder: RunFolder) -> tuple[Path, ...]:
    """Return the checkpoints of all fits of the winner, by seed and fold."""
    best = ledger.trials[winner_of(ledger, folder).trial]
    return tuple(checkpoint_of(ledger, folder, best, seed=key.seed, fold=key.fold) for key in sorted(best.fits))
