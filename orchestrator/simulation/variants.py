"""What is compared: ways to search, each of which spends the same steps, and by each the rules of selection.

To compare another way, add what it changes of the space's spec to `ways`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.records import FitKey, State
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.seeds import draw_seed
from orchestrator.search.selection import winner_of
from orchestrator.simulation.recorded_curves import RecordedTrial
from orchestrator.simulation.recorded_task import RecordedTask, steps_of_a_fit
from orchestrator.simulation.replay import replayed
from orchestrator.specs.methods import Prune, Race, SuccessiveHalving
from orchestrator.specs.specs import SearchSpec

RULES = ("best", "simplest")  # as a space's `winner` says
MOST_TRIALS = 5  # times those of the space, by which a search ends that has steps left: it stops poor ones early


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one search chose by one rule, and what that is truly worth."""

    way: str
    rule: str
    number: int  # of the search; those of all ways with one number have the same study seed and draw the same fits
    chosen: int  # the recorded trial
    value: float  # true: the mean over all its recorded fits
    default: float | None  # true value of the untuned default; None where the search has none
    kept_default: bool
    steps: int  # spent
    trials: int  # complete


def ways(spec: SearchSpec) -> dict[str, Mapping[str, Any]]:
    """Return by name what each way changes of the space's spec."""
    a_quarter = SuccessiveHalving(min_steps=max(1, spec.max_steps // 4), factor=2)
    alone = {"prune": None, "race": None}
    stops: dict[str, Mapping[str, Any]] = {
        "": {},
        ", pruned": {"prune": spec.prune or Prune(successive_halving=a_quarter)},
        ", raced": {"race": spec.race or Race()},
    }
    return {
        f"{sampler}{name}": {"sampler": sampler, **alone, **stop}
        for name, stop in stops.items()
        for sampler in ("random", "tpe")
    }


def steps_of_a_search(task: RecordedTask) -> int:
    """Return how many steps the space's search takes where nothing is stopped: what each way may spend."""
    folds = task.spec.folds or task.curves.folds
    return task.spec.total * task.spec.seeds * folds * steps_of_a_fit(task.spec)


def simulated(task: RecordedTask, *, searches: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Yield what each search chose, way by way and rule by rule. The same for the same seed."""
    values = true_values(task)
    budget = steps_of_a_search(task)
    for way, changes in ways(task.spec).items():
        for number in range(searches):
            study_seed = draw_seed("simulated search", seed, number)
            update = {**changes, "trials": task.spec.total * MOST_TRIALS, "seed": study_seed}
            ledger = replayed(task.spec.model_copy(update=update), task, steps=budget, folder=folder)
            for rule in RULES:
                yield _outcome(ledger, task, values, way=way, rule=rule, number=number, folder=folder)


def true_values(task: RecordedTask) -> dict[int, float]:
    """Return of each recorded trial the mean over all its fits, at the step where the space judges them."""
    ledger = Ledger()
    ledger.spec = task.spec
    values = {number: ledger.value_of(_entry(trial)) for number, trial in task.curves.trials.items()}
    return {number: value for number, value in values.items() if value is not None}


def _entry(trial: RecordedTrial) -> TrialEntry:
    keys = {FitKey(trial.number, *fit): steps for fit, steps in trial.fits.items()}
    fits = {key: FitEntry(key, metrics=dict(steps), state=State.COMPLETE) for key, steps in keys.items()}
    return TrialEntry(trial.number, 0, trial.config, "recorded", fits=fits)


def _outcome(
    ledger: Ledger, task: RecordedTask, values: Mapping[int, float], *, way: str, rule: str, number: int, folder: Path
) -> Outcome:
    assert ledger.spec is not None
    ledger.spec = ledger.spec.model_copy(update={"winner": rule})
    winner = winner_of(ledger, RunFolder(folder))
    default = next((trial for trial in ledger.trials.values() if trial.origin == "default"), None)
    chosen = _recorded(task, ledger.trials[winner.trial]).number
    return Outcome(
        way=way,
        rule=rule,
        number=number,
        chosen=chosen,
        value=values[chosen],
        default=None if default is None else values[_recorded(task, default).number],
        kept_default=default is not None and winner.trial == default.number,
        steps=sum(len(fit.metrics) for trial in ledger.trials.values() for fit in trial.fits.values()),
        trials=len(ledger.ranked()),
    )


def _recorded(task: RecordedTask, trial: TrialEntry) -> RecordedTrial:
    return task.recorded_for(trial.config)[0]
