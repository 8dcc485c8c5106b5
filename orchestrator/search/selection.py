"""Which trial won, and on what ground: the burden of proof lies on the tuned one.

All complete trials of a search, or of several stages that compete, are compared over the same fits (comparison.py).
Where they cannot be told apart at all, the untuned default is kept. Else the winner is the simplest within one
standard error of the best mean: the default before others, what starts from nothing before what starts from another
stage, then the fewer parameters, then the better mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median_low
from typing import Any

from orchestrator.errors import RunFailed
from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import FitKey
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.comparison import Comparison, compare
from orchestrator.search.intervals import Interval, interval_of, varying
from orchestrator.search.length import is_rising, remark_on_length

UNKNOWN_RATIO = 0.25  # validation over train records, where the task does not say it: five folds

UNKNOWN_HISTORY = "start of unknown history: nobody knows whether its weights saw records that judge it"


@dataclass(frozen=True, eq=False)
class Contender:
    """A complete trial of one of the searches that compete."""

    folder: RunFolder
    ledger: Ledger
    trial: TrialEntry

    @property
    def is_default(self) -> bool:
        """Whether nobody tuned it, and it starts from nothing."""
        return self.trial.origin == "default" and not self.starts

    @property
    def starts(self) -> bool:
        """Whether it starts from another search's weights."""
        return self.ledger.spec is not None and self.ledger.spec.start_from is not None

    @property
    def has_unknown_history(self) -> bool:
        """Whether nobody knows on which records the weights that it starts from were trained, as its fits report."""
        return any(row.get("unknown_history") for fit in self.trial.fits.values() for row in fit.metrics.values())

    @property
    def median_step(self) -> int:
        """The median of the steps at which its fits were judged."""
        return median_low(self.ledger.judged_steps(self.trial).values())

    @property
    def checkpoints(self) -> list[Path]:
        """The checkpoints of its fits at the steps where they were judged, by seed and fold."""
        return list(checkpoints_of(self.ledger, self.folder, self.trial))


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The trial that won, of which search, and what it was compared with."""

    search: str  # the name of its search's folder
    trial: int
    config: dict[str, Any]
    metric: str
    mode: str
    interval: Interval
    over: str  # what varies in it
    scores: list[float]
    steps: list[int]  # at which its fits were judged
    best: str  # the best mean, and what became of it, in one sentence
    ties: list[str]  # what cannot be told from the best mean at 5 %
    standard_error: float | None  # of the difference of two trials
    over_default: float | None  # the winner's mean minus the untuned default's
    rising: bool  # whether its fits still became better at their end: longer ones may be better
    length: str | None  # what is to be said of how long its fits trained
    start: str | None = None  # what is to be said of the weights that its fits started from

    def as_data(self) -> dict[str, Any]:
        """Return the content of winner.json."""
        data = asdict(self)
        return {**{key: data[key] for key in ("search", "trial", "metric", "mode")}, **data.pop("interval"), **data}


def winner_of(ledger: Ledger, folder: RunFolder) -> Winner:
    """Return the winner of one search. Raises RunFailed where no trial is complete."""
    return winner_among([(ledger, folder)])[0]


def ties_of(ledger: Ledger, folder: RunFolder) -> tuple[Contender, list[Contender]]:
    """Return the trial that won a search, and all that cannot be told from its best, the best first."""
    return winner_among([(ledger, folder)])[1:]


def winner_among(searches: Sequence[tuple[Ledger, RunFolder]]) -> tuple[Winner, Contender, list[Contender]]:
    """Return the winner of searches that compete, and all that cannot be told from the best, the best first.

    Raises RunFailed where no trial is complete.
    """
    contenders = [Contender(folder, ledger, trial) for ledger, folder in searches for trial in ledger.ranked()]
    if not contenders:
        states = sorted({str(trial.state) for ledger, _ in searches for trial in ledger.trials.values()})
        raise RunFailed(
            f"{searches[0][1].path}: no trial is complete ({', '.join(states) or 'none was begun'}), so there is no "
            "winner"
        )
    spec = contenders[0].ledger.spec
    assert spec is not None
    shared = _shared_fits(contenders)
    found = compare(
        {number: [one.ledger.scores_by_fit(one.trial)[fit] for fit in shared] for number, one in enumerate(contenders)},
        largest=spec.mode == "max",
        test_over_train=validation_over_train(contenders[0].ledger),
    )
    chosen = found.best
    if spec.winner == "simplest":
        cost = {number: (one.starts, one.ledger.size_of(one.trial)) for number, one in enumerate(contenders)}
        chosen = simplest(found, default=_default(contenders), cost=cost)
    winner = _described(contenders, found, chosen, named=len(searches) > 1)
    return winner, contenders[chosen], [contenders[number] for number in found.ties]


def simplest(found: Comparison, *, default: int | None, cost: Mapping[int, tuple[bool, float]]) -> int:
    """Return which of the compared wins; default: the untuned one, where it is among them.

    cost: of each whether it starts from another search's weights, and its parameters.
    """
    if found.standard_error is None:  # a single fit each: nothing can be told, and the best mean is the best guess
        return found.best
    if default is not None and not found.differ:
        return default
    # by mean: of equally simple ones the first is the best
    return min(found.within_one_error, key=lambda number: (number != default, cost[number]))


def _default(contenders: Iterable[Contender]) -> int | None:
    return next((number for number, one in enumerate(contenders) if one.is_default), None)


def _shared_fits(contenders: Sequence[Contender]) -> list[tuple[int, int]]:
    """Return the (seed, fold) that all contenders have: only over these can they be compared."""
    every = [one.ledger.scores_by_fit(one.trial).keys() for one in contenders]
    return sorted(set.intersection(*map(set, every)))


def validation_over_train(ledger: Ledger) -> float:
    """Return how many validation records a fit has for each that it learns from."""
    ratio = ledger.facts.get("test_over_train")
    return ratio if isinstance(ratio, float) else UNKNOWN_RATIO


def _described(contenders: Sequence[Contender], found: Comparison, chosen: int, *, named: bool) -> Winner:
    winner, best, default = contenders[chosen], contenders[found.best], _default(contenders)
    spec = winner.ledger.spec
    assert spec is not None
    scores = winner.ledger.scores(winner.trial)
    names = [_name(one, named=named) for one in contenders]
    rising = is_rising(winner.ledger, winner.trial, test_over_train=validation_over_train(winner.ledger))
    return Winner(
        search=winner.folder.name,
        trial=winner.trial.number,
        config=dict(winner.trial.config),
        metric=spec.metric,
        mode=spec.mode,
        interval=interval_of(winner.ledger, winner.trial),
        over=varying(winner.ledger.scores_by_fit(winner.trial)),
        scores=scores,
        steps=list(winner.ledger.judged_steps(winner.trial).values()),
        best=_ground(found, chosen, names, default=default, asked_for_best=spec.winner == "best"),
        ties=[_name(contenders[number], named=named) for number in found.ties if contenders[number] is not best],
        standard_error=found.standard_error,
        rising=rising,
        length=remark_on_length(winner.ledger, winner.trial, rising=rising),
        over_default=None if default is None else found.means[chosen] - found.means[default],
        start=UNKNOWN_HISTORY if winner.has_unknown_history else None,
    )


def _name(one: Contender, *, named: bool) -> str:
    return f"{one.folder.name}/{one.trial.number}" if named else str(one.trial.number)


def _ground(found: Comparison, chosen: int, names: Sequence[str], *, default: int | None, asked_for_best: bool) -> str:
    """Say in one sentence why this one won."""
    best, error = names[found.best], found.standard_error
    if error is None:
        return f"trial {best} has the best mean; with one fit each, nothing can be told apart"
    if asked_for_best:
        return f"trial {best} has the best mean, which was all that was asked for"
    behind = f"{abs(found.means[found.best] - found.means[chosen]):.4f}"
    if chosen == default and not found.differ:
        return (
            f"nothing was found: the trials cannot be told apart (p {found.p_all_equal:.2f}), so the untuned default "
            f"is kept, {behind} behind the best mean (trial {best})"
        )
    if chosen == found.best:
        return f"trial {best} has the best mean, and nothing simpler lies within one standard error ({error:.4f})"
    kind = "the untuned default" if chosen == default else f"trial {names[chosen]}, which is simpler,"
    return f"{kind} lies {behind} behind the best mean (trial {best}), within one standard error ({error:.4f})"


def checkpoint_of(ledger: Ledger, folder: RunFolder, trial: TrialEntry, *, seed: int, fold: int) -> Path:
    """Return the checkpoint of one fit of a trial at the step where it was judged (a final's: at its last).

    Raises RunFailed where it is gone.
    """
    fit = trial.fits[FitKey(trial.number, seed, fold)]
    last = fit.last_step_with_weights
    step = last if trial.origin == "final" else ledger.judged_steps(trial).get(fit.key, last)
    if step not in fit.checkpoints:
        raise RunFailed(
            f"{folder.fit(fit.key)}: the task reported no checkpoint at step {step}, so there are no weights"
        )
    path = folder.fit(fit.key) / fit.checkpoints[step]
    if not path.exists():
        raise RunFailed(f"{path}: the checkpoint of trial {trial.number}, step {step}, is not there; was it deleted?")
    return path


def checkpoints_of(ledger: Ledger, folder: RunFolder, trial: TrialEntry) -> tuple[Path, ...]:
    """Return the checkpoints of all fits of a trial, by seed and fold."""
    return tuple(checkpoint_of(ledger, folder, trial, seed=key.seed, fold=key.fold) for key in sorted(trial.fits))
