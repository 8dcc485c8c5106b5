"""A search space: named dimensions, some active only `when` others have certain values; its grid and its suggestions.

Knows what can be drawn, not who draws: `suggest` asks anything that can choose a value (`dimensions.Draw`).
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.specs.dimensions import (
    AnyDimension,
    Cell,
    Condition,
    Dimension,
    Draw,
    Entry,
    LogUniform,
    Range,
    Uniform,
)
from orchestrator.task import Config, Parameter, Scalar

Space = Mapping[str, Entry]


def is_active(dimension: Dimension, chosen: Mapping[str, Scalar]) -> bool:
    """Return whether every condition of the dimension holds for the values chosen so far."""
    return all(
        name in chosen and chosen[name] in (allowed if isinstance(allowed, list) else [allowed])
        for name, allowed in dimension.when.items()
    )


def in_order(space: Space) -> list[str]:
    """Return the names such that each comes after those that its conditions name. Raises ValueError for a circle."""
    order: list[str] = []
    left = list(space)
    while left:
        ready = [name for name in left if not (conditions_of(space[name]).keys() & set(left))]
        if not ready:
            raise ValueError(f"the conditions of {', '.join(left)} go in a circle")
        order.append(ready[0])
        left.remove(ready[0])
    return order


def conditions_of(entry: Entry) -> Condition:
    """Return the `when` of a dimension; a fixed value has none."""
    return entry.when if isinstance(entry, AnyDimension) else {}


def cells(space: Space) -> list[dict[str, Scalar]]:
    """Return the outer grid: one mapping of values for each study; one empty mapping where there is none."""
    outer = {name: entry.grid for name, entry in space.items() if isinstance(entry, Cell)}
    return [dict(zip(outer, values, strict=True)) for values in itertools.product(*outer.values())]


def suggest(space: Space, cell: Mapping[str, Scalar], source: Draw) -> dict[str, Scalar]:
    """Draw one configuration: the active values by name, in the order of the file."""
    chosen: dict[str, Scalar] = {}
    for name in in_order(space):
        entry = space[name]
        if isinstance(entry, Cell):
            chosen[name] = cell[name]
        elif not isinstance(entry, AnyDimension):
            chosen[name] = entry
        elif is_active(entry, chosen):
            chosen[name] = entry.draw(name, source)
    return {name: chosen[name] for name in space if name in chosen}


def holds(space: Space, config: Config) -> bool:
    """Return whether a configuration can be drawn; one of defaults may lie outside."""
    dimensions = ((config[name], entry) for name, entry in space.items() if name in config)
    return all(entry.holds(value) for value, entry in dimensions if isinstance(entry, AnyDimension))


def grid_configs(space: Space) -> list[dict[str, Scalar]]:
    """Return every configuration of a finite space, each once, the last name varying fastest."""
    return list({tuple(config.items()): config for config in configurations(space)}.values())


def configurations(space: Space) -> Iterator[dict[str, Scalar]]:
    """Yield every configuration of a finite space; of values that are listed twice, twice."""
    order = in_order(space)

    def extend(chosen: dict[str, Scalar], names: list[str]) -> Iterator[dict[str, Scalar]]:
        if not names:
            yield {name: chosen[name] for name in space if name in chosen}
            return
        entry = space[names[0]]
        values: list[Scalar] | None = [entry] if not isinstance(entry, AnyDimension) else entry.values()
        if isinstance(entry, AnyDimension) and not is_active(entry, chosen):
            yield from extend(chosen, names[1:])
            return
        for value in values or []:
            yield from extend({**chosen, names[0]: value}, names[1:])

    return extend({}, order)


def grid_is_finite(entry: Entry) -> bool:
    """Return whether an entry has finitely many values."""
    return not isinstance(entry, LogUniform) and not (isinstance(entry, Uniform) and entry.step is None)


def listed(space: Space) -> dict[str, list[Scalar]]:
    """Return the values of every name for which the file lists them: fixed, choice, grid."""
    return {name: values_of(entry) for name, entry in space.items() if not isinstance(entry, Range)}


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """Return the way out for an unknown name: the nearest known one, or all of them."""
    import difflib  # here and not above: it costs the start-up of every command 5 ms and is needed for mistakes only

    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"


def values_of(entry: Entry) -> list[Scalar]:
    """Return every value of an entry; of one with infinitely many, its bounds."""
    return extremes_of(entry) if not isinstance(entry, AnyDimension) else entry.values() or extremes_of(entry)


def extremes_of(entry: Entry) -> list[Scalar]:
    """Return the bounds of a range, and every value of what has none."""
    if not isinstance(entry, AnyDimension):
        return [entry]
    bounds = entry.bounds()
    return list(bounds) if bounds else entry.values() or []


def complete_config(
    config: Config, parameters: Mapping[str, Parameter], defaults: Mapping[str, Scalar]
) -> dict[str, Scalar]:
    """Return the configuration with the default of every hyperparameter that it leaves out, of those that count."""
    complete = {name: config.get(name, defaults[name]) for name in parameters}

    def counts(parameter: Parameter) -> bool:
        return all(complete[other] in allowed for other, allowed in parameter.only_with.items())

    return {name: value for name, value in complete.items() if counts(parameters[name])}
