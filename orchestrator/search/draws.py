"""Configurations that no sampler draws: of given values, and of numbers between 0 and 1, near a prior or anywhere.

Each is a function of its arguments alone: nothing here remembers what was drawn before.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from scipy.stats import qmc

from orchestrator.search.seeds import draw_seed
from orchestrator.specs.dimensions import AnyDimension, Cell
from orchestrator.specs.space import Space, cells, in_order, suggest
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Scalar

PRIOR_SD = 0.25  # of a range, or of its logarithm


class Given:
    """Gives each dimension the value that it is said to have, whether or not that can be drawn."""

    def __init__(self, values: Mapping[str, Scalar]) -> None:
        self._values = values

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float:  # noqa: D102
        return float(self._values[name] or 0)

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:  # noqa: D102
        return int(self._values[name] or 0)

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Scalar:  # noqa: D102
        return self._values[name]


class FromUnits:
    """Turns a number between 0 and 1 for each dimension into a value of it, evenly, or more often `near` a value."""

    def __init__(self, units: Mapping[str, float], near: Mapping[str, Scalar]) -> None:
        self._units = units
        self._near = near

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float:  # noqa: D102
        if step is not None:
            steps = math.floor((high - low) / step + 1e-9) + 1
            return round(low + step * self._position(name, low, step, steps), 12)
        if log:
            return math.exp(self._between(name, math.log(low), math.log(high), log=True))
        return self._between(name, low, high, log=False)

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:  # noqa: D102
        return low + step * self._position(name, low, step, (high - low) // step + 1)

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Scalar:  # noqa: D102
        unit, others = self._units[name], list(choices)
        if name in self._near and self._near[name] in others:
            if unit < 0.5 or len(others) == 1:
                return self._near[name]
            unit = 2 * unit - 1
            others.remove(self._near[name])
        return others[int(unit * len(others))]

    def _between(self, name: str, low: float, high: float, *, log: bool) -> float:
        near = _number(self._near.get(name))
        if near is not None and log:
            near = math.log(near) if near > 0 else None
        unit = bent(self._units[name], None if near is None else (near - low) / (high - low))
        return min(max(low + (high - low) * unit, low), high)

    def _position(self, name: str, low: float, step: float, steps: int) -> int:
        near = _number(self._near.get(name))
        unit = bent(self._units[name], None if near is None else ((near - low) / step + 0.5) / steps)
        return min(int(unit * steps), steps - 1)


def bent(unit: float, centre: float | None) -> float:
    """Return the quantile `unit` of a normal distribution about the centre, cut off at 0 and 1; None: of an even one.

    A centre outside is taken to be at the edge.
    """
    if centre is None:
        return unit
    normal = NormalDist(min(max(centre, 0.0), 1.0), PRIOR_SD)
    below, above = normal.cdf(0.0), normal.cdf(1.0)
    return min(max(normal.inv_cdf(below + unit * (above - below)), 0.0), 1.0)


def given_configs(
    spec: SearchSpec, cell: Mapping[str, Scalar], defaults: Mapping[str, Scalar]
) -> list[tuple[str, dict[str, Scalar]]]:
    """Return what a cell tries before anything is drawn, with its origin: the untuned default, what was enqueued.

    Every active dimension that is not given is at its default. A cell has no part in what is given another's values.
    """
    if not spec.varies:
        return []
    given: list[tuple[str, Mapping[str, Scalar]]] = [("default", {})] if spec.has_baseline else []
    given += [("enqueued", values) for values in spec.enqueue if all(values.get(n, v) == v for n, v in cell.items())]
    return [(origin, suggest(spec.space, cell, Given({**defaults, **values}))) for origin, values in given]


def startup_config(
    spec: SearchSpec, cell: Mapping[str, Scalar], defaults: Mapping[str, Scalar], *, study: int, place: int, number: int
) -> dict[str, Scalar]:
    """Return the configuration of trial `number`, which is the `place`-th that is drawn for this study, from 0 on."""
    names = [name for name in in_order(spec.space) if isinstance(spec.space[name], AnyDimension)]
    near: dict[str, Scalar] = {}
    if spec.startup == "qmc":
        points = qmc.Sobol(len(names), rng=draw_seed("startup", spec.seed, study))
        units = points.random_base2(place.bit_length())[place]  # a power of two of them, or scipy warns
    else:
        units = np.random.default_rng(draw_seed("startup", spec.seed, number)).random(len(names))
        near = {} if place % 2 else priors(spec.space, defaults)
    return suggest(spec.space, cell, FromUnits(dict(zip(names, map(float, units), strict=True)), near))


def drawn_evenly(space: Space, seed: int) -> dict[str, Scalar]:
    """Return one configuration of a space, any as likely as any other; of an outer grid's values, too."""
    rng = np.random.default_rng(seed)
    every = cells(space)
    units = {name: float(rng.random()) for name in in_order(space)}
    return suggest(space, every[int(rng.integers(len(every)))], FromUnits(units, {}))


def priors(space: Space, defaults: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return by name where the good values of a dimension are thought to lie: at its `prior`, else at the default."""
    near = {
        name: entry.prior if entry.prior is not None else defaults.get(name)
        for name, entry in space.items()
        if isinstance(entry, AnyDimension) and not isinstance(entry, Cell)
    }
    return {name: value for name, value in near.items() if value is not None}


def _number(value: Scalar) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
