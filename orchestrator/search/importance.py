"""Which hyperparameters the scores of finished searches depended on: fANOVA (Hutter, Hoos, Leyton-Brown 2014)."""

import logging
from collections.abc import Sequence
from statistics import fmean

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from orchestrator.history.ledger import Ledger
from orchestrator.specs.dimensions import Cell, Choice, Integer
from orchestrator.specs.space import holds, suggest
from orchestrator.task import Config

optuna.logging.set_verbosity(logging.ERROR)

FEWEST = 10  # complete trials, below which nothing is said
# Values of a choice that are told apart without an order. fANOVA's cost doubles with each: of 48 it never ended.
MOST_UNORDERED = 6


def importance_of(searches: Sequence[Ledger]) -> dict[str, float]:
    """Return the share of each hyperparameter in what the configuration explains of the scores, the largest first.

    searches: of one space, on different records: each trial counts as its distance from its own search's mean.
    Conditional hyperparameters, which not every trial has, are left out; of a choice of many values the places count,
    in the order of the file. Empty where fewer than ten trials are
    complete, or all are equal.
    """
    told = [one for ledger in searches for one in _told(ledger)]
    spec = searches[0].spec if searches else None
    if spec is None or len(told) < FEWEST or len({value for _, value in told}) < 2:
        return {}
    study = optuna.create_study(direction="maximize" if spec.mode == "max" else "minimize")
    cells = [name for name, entry in spec.space.items() if isinstance(entry, Cell)]
    choices = {name: entry for name, entry in spec.space.items() if isinstance(entry, Choice)}
    long = {name: entry for name, entry in choices.items() if len(entry.choice) > MOST_UNORDERED}
    places = {name: Integer(integer=(0, len(one.choice) - 1), when=one.when) for name, one in long.items()}
    space = {**spec.space, **places}
    for config, value in told:
        placed = {name: long[name].choice.index(one) if name in long else one for name, one in config.items()}
        study.enqueue_trial(placed)
        trial = study.ask()
        suggest(space, {name: config[name] for name in cells}, trial)
        study.tell(trial, value)
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: float(share) for name, share in found.items()}


def _told(ledger: Ledger) -> list[tuple[Config, float]]:
    """Return the configurations of a search's complete trials, with their distance from the mean of all of them."""
    assert ledger.spec is not None
    trials = [trial for trial in ledger.ranked() if holds(ledger.spec.space, trial.config)]
    values = {trial.number: trial.value for trial in trials if trial.value is not None}
    mean = fmean(values.values()) if values else 0.0
    return [(trial.config, values[trial.number] - mean) for trial in trials if trial.number in values]
