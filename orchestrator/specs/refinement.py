"""A small search around a configuration that was found: the neighbours of its numbers, one dimension at a time.

A star and no full grid: with d numbers it has 2d + 1 configurations where a grid of three values each has 3^d.
Knows no trials: whoever calls it says what was found.
"""

from collections.abc import Mapping, Sequence

from orchestrator.specs.dimensions import AnyDimension, Cell, Choice, Entry, LogUniform
from orchestrator.specs.space import Space, conditions_of
from orchestrator.specs.specs import RefineSpec, SearchSpec
from orchestrator.task import Config, Scalar

SHARE = 8  # a neighbour lies an eighth of the range away, on the dimension's own scale; at least one step


def template_of(base: SearchSpec, refine: RefineSpec, *, folds: int | None) -> SearchSpec:
    """Return what is known of a refining search before the one that it refines has a winner."""
    changes = {"sampler": "random", "baseline": False, "prune": None, "budget": None}
    return base.model_copy(update={**changes, "trials": refine.trials, "folds": folds, "configurations": None})


def refined(template: SearchSpec, refine: RefineSpec, winner: Config, ties: Sequence[Config]) -> SearchSpec:
    """Return the search around a winner, with the configurations that tie with it, the best first."""
    found = configurations_around(template.space, winner, ties, points=refine.points, most=refine.trials)
    space = {
        name: _entry(entry, name, found) for name, entry in template.space.items() if any(name in c for c in found)
    }
    changes = {"sampler": "grid", "trials": len(found), "space": space, "configurations": found}
    return template.model_copy(update=changes)


def configurations_around(
    space: Space, winner: Config, ties: Sequence[Config], *, points: int, most: int
) -> list[dict[str, Scalar]]:
    """Return at most so many: the winner, its nearest neighbours, what ties with it, then further neighbours."""
    rings = [_ring(space, winner, distance) for distance in range(1, points // 2 + 1)]
    ordered = [winner, *rings[0], *ties, *(one for ring in rings[1:] for one in ring)]
    first: dict[tuple[tuple[str, Scalar], ...], Config] = {}
    for config in ordered:
        first.setdefault(tuple(sorted(config.items())), config)
    return [dict(config) for config in list(first.values())[:most]]


def _ring(space: Space, winner: Config, distance: int) -> list[dict[str, Scalar]]:
    """Return the configurations that differ from the winner in one number, by so many eighths of its range.

    What the winner does not have is not active; what decides over others' being active stays.
    """
    deciding = {name for entry in space.values() for name in conditions_of(entry)}
    return [
        {**winner, name: value}
        for name, entry in space.items()
        if name in winner and name not in deciding and isinstance(entry, AnyDimension)
        for value in (neighbour(entry, winner[name], by=-distance), neighbour(entry, winner[name], by=distance))
        if value is not None
    ]


def neighbour(entry: AnyDimension, value: Scalar, *, by: int) -> Scalar:
    """Return the value so many neighbours above (below), at most the range's end; None: there is none.

    Values that are not numbers have no neighbours.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    listed, moved = entry.values(), value
    if listed is None:
        low, high = entry.bounds() or (0.0, 0.0)
        is_log = isinstance(entry, LogUniform)
        there = value * (high / low) ** (by / SHARE) if is_log else value + by * (high - low) / SHARE
        moved = min(max(float(f"{there:.6g}"), low), high)
    else:
        numbers = sorted(one for one in listed if isinstance(one, int | float) and not isinstance(one, bool))
        if len(numbers) < len(listed):
            return None
        nearest = min(range(len(numbers)), key=lambda place: abs(numbers[place] - value))
        steps = by * max(1, round((len(numbers) - 1) / SHARE))
        moved = numbers[min(max(nearest + steps, 0), len(numbers) - 1)]
    return None if moved == value or (moved > value) != (by > 0) else moved


def _entry(entry: Entry, name: str, found: Sequence[Mapping[str, Scalar]]) -> Entry:
    """Return the dimension with the values that are tried; a single one that is always active is fixed."""
    values = list({(type(config[name]), config[name]): config[name] for config in found if name in config}.values())
    when = {} if isinstance(entry, Cell) else dict(conditions_of(entry))
    return values[0] if len(values) == 1 and not when else Choice(choice=values, when=when)
