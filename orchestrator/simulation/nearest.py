"""Which recorded configuration stands for one that is asked for: the nearest, each dimension scaled to its range.

A number of a range counts by its distance as a share of that (of its logarithm, where the range is logarithmic);
anything else counts as 0 where it is equal and as 1 where it is not, or where one of the two does not have it.
"""

import math
from collections.abc import Mapping

from orchestrator.history.ledger import as_texts
from orchestrator.simulation.recorded_curves import RecordedTrial
from orchestrator.specs.dimensions import Entry, LogUniform, Range
from orchestrator.specs.space import Space
from orchestrator.task import Config


def nearest_trial(space: Space, config: Config, trials: Mapping[int, RecordedTrial]) -> tuple[RecordedTrial, float]:
    """Return the nearest trial, the first of equally near ones, and its distance (Euclidean)."""
    asked = as_texts(config)
    apart = {number: distance(space, asked, trial.config) for number, trial in trials.items()}
    number = min(sorted(apart), key=lambda number: apart[number])
    return trials[number], apart[number]


def distance(space: Space, one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """Return how far two configurations, as texts, are apart; a dimension that is not active is an empty text."""
    return math.hypot(*(_apart(entry, one.get(name, ""), other.get(name, "")) for name, entry in space.items()))


def equal(one: str, other: str) -> bool:
    """Return whether two texts are one value: 1 and 1.0 are, as numbers."""
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _apart(entry: Entry, one: str, other: str) -> float:
    if equal(one, other):
        return 0.0
    bounds = entry.bounds() if isinstance(entry, Range) else None
    if bounds is None or not one or not other:
        return 1.0
    low, high, first, second = *bounds, float(one), float(other)
    if isinstance(entry, LogUniform):
        low, high, first, second = (math.log(value) for value in (low, high, first, second))
    return abs(first - second) / (high - low)
