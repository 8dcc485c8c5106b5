"""A search space: named dimensions, some active only `when` others have certain values; its grid and its suggestions.

Knows what can be drawn, not who draws: `suggest` asks anything that can choose a value (see `Draw`).
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Protocol, Self

from pydantic import Discriminator, Field, Tag, model_validator

from orchestrator.specs.strict_model import StrictModel
from orchestrator.task import Config, Parameter, Scalar

Condition = Mapping[str, Scalar | list[Scalar]]


class Draw(Protocol):
    """Whoever chooses values; Optuna's Trial has these three methods."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...  # noqa: D102
    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...  # noqa: D102
    def suggest_categorical(self, name: str, choices: list[Scalar]) -> Scalar: ...  # noqa: D102


class _Dimension(StrictModel):
    when: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)

    def values(self) -> list[Scalar] | None:
        """Return every value, or None where there are infinitely many."""
        return None

    def bounds(self) -> tuple[float, float] | None:
        """Return the smallest and the largest value of a range."""
        return None


class Choice(_Dimension):
    """One of the values listed."""

    choice: list[Scalar] = Field(min_length=1)

    def values(self) -> list[Scalar]:  # noqa: D102
        return list(self.choice)

    def draw(self, name: str, source: Draw) -> Scalar:  # noqa: D102
        return source.suggest_categorical(name, list(self.choice))


class Cell(_Dimension):
    """Each of the values listed, with a study of its own: the outer grid around a sampler."""

    grid: list[Scalar] = Field(min_length=1)

    def values(self) -> list[Scalar]:  # noqa: D102
        return list(self.grid)

    @model_validator(mode="after")
    def _unconditional(self) -> Self:
        if self.when:
            raise ValueError("a grid value is fixed before the sampler draws, so it takes no `when`; use choice")
        return self


class _Range(_Dimension):
    @model_validator(mode="after")
    def _possible(self) -> Self:
        low, high = self.bounds() or (0.0, 0.0)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"the range must be [low, high] with low < high, got [{low:g}, {high:g}]")
        if isinstance(self, LogUniform) and low <= 0:
            raise ValueError(f"a log_uniform range must be positive, got [{low:g}, {high:g}]")
        step = getattr(self, "step", None)
        if step is not None and not 0 < step <= high - low:
            raise ValueError(f"step must be positive and at most high - low = {high - low:g}, got {step:g}")
        return self


class Uniform(_Range):
    """A float between two bounds; with `step` only low, low + step, ..."""

    uniform: tuple[float, float] = Field(strict=False)
    step: float | None = None

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return self.uniform

    def values(self) -> list[Scalar] | None:  # noqa: D102
        low, high = self.uniform
        if self.step is None:
            return None
        return [round(low + self.step * i, 12) for i in range(math.floor((high - low) / self.step + 1e-9) + 1)]

    def draw(self, name: str, source: Draw) -> float:  # noqa: D102
        return source.suggest_float(name, *self.uniform, step=self.step, log=False)


class LogUniform(_Range):
    """A float between two positive bounds, uniform in its logarithm."""

    log_uniform: tuple[float, float] = Field(strict=False)

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return self.log_uniform

    def draw(self, name: str, source: Draw) -> float:  # noqa: D102
        return source.suggest_float(name, *self.log_uniform, step=None, log=True)


class Integer(_Range):
    """A whole number between two bounds, both included; with `step` only low, low + step, ..."""

    integer: tuple[int, int] = Field(strict=False)
    step: int = 1

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return self.integer

    def values(self) -> list[Scalar]:  # noqa: D102
        return list(range(self.integer[0], self.integer[1] + 1, self.step))

    def draw(self, name: str, source: Draw) -> int:  # noqa: D102
        return source.suggest_int(name, *self.integer, step=self.step, log=False)


_KINDS = ("choice", "grid", "uniform", "log_uniform", "integer")


def _kind(value: Any) -> str:
    """Tell which dimension a YAML value means; a scalar is a fixed value."""
    if isinstance(value, dict):
        named = [kind for kind in _KINDS if kind in value]
        return named[0] if named else "unknown"
    for kind, model in zip(_KINDS, (Choice, Cell, Uniform, LogUniform, Integer), strict=True):
        if isinstance(value, model):
            return kind
    return "list" if isinstance(value, list) else "fixed"


Dimension = Choice | Cell | Uniform | LogUniform | Integer
DIMENSION_KEYS = {key for model in (Choice, Cell, Uniform, LogUniform, Integer) for key in model.model_fields}
Entry = Annotated[
    Annotated[Choice, Tag("choice")]
    | Annotated[Cell, Tag("grid")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Integer, Tag("integer")]
    | Annotated[Scalar, Tag("fixed")],
    Discriminator(
        _kind,
        custom_error_type="dimension",
        custom_error_message="must be one value, or a mapping with one of " + ", ".join(_KINDS),
    ),
]
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
    return entry.when if isinstance(entry, _Dimension) else {}


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
        elif not isinstance(entry, _Dimension):
            chosen[name] = entry
        elif is_active(entry, chosen):
            chosen[name] = entry.draw(name, source)
    return {name: chosen[name] for name in space if name in chosen}


def grid_configs(space: Space) -> list[dict[str, Scalar]]:
    """Return every configuration of a finite space, each once, the last name varying fastest."""
    order = in_order(space)

    def extend(chosen: dict[str, Scalar], names: list[str]) -> Iterator[dict[str, Scalar]]:
        if not names:
            yield {name: chosen[name] for name in space if name in chosen}
            return
        entry = space[names[0]]
        values: list[Scalar] | None = [entry] if not isinstance(entry, _Dimension) else entry.values()
        if isinstance(entry, _Dimension) and not is_active(entry, chosen):
            yield from extend(chosen, names[1:])
            return
        for value in values or []:
            yield from extend({**chosen, names[0]: value}, names[1:])

    unique = {tuple(config.items()): config for config in extend({}, order)}
    return list(unique.values())


def grid_is_finite(entry: Entry) -> bool:
    """Return whether an entry has finitely many values."""
    return not isinstance(entry, LogUniform) and not (isinstance(entry, Uniform) and entry.step is None)


def listed(space: Space) -> dict[str, list[Scalar]]:
    """Return the values of every name for which the file lists them: fixed, choice, grid."""
    return {name: values_of(entry) for name, entry in space.items() if not isinstance(entry, _Range)}


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """Return the way out for an unknown name: the nearest known one, or all of them."""
    import difflib  # here and not above: it costs the start-up of every command 5 ms and is needed for mistakes only

    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"


def values_of(entry: Entry) -> list[Scalar]:
    """Return every value of an entry; of one with infinitely many, its bounds."""
    return extremes_of(entry) if not isinstance(entry, _Dimension) else entry.values() or extremes_of(entry)


def extremes_of(entry: Entry) -> list[Scalar]:
    """Return the bounds of a range, and every value of what has none."""
    if not isinstance(entry, _Dimension):
        return [entry]
    bounds = entry.bounds()
    return list(bounds) if bounds else entry.values() or []


def complete_config(config: Config, parameters: Mapping[str, Parameter]) -> dict[str, Scalar]:
    """Return the configuration with the default of every hyperparameter that it leaves out, of those that count."""
    complete = {name: config.get(name, parameter.default) for name, parameter in parameters.items()}

    def counts(parameter: Parameter) -> bool:
        return all(complete[other] in allowed for other, allowed in parameter.only_with.items())

    return {name: value for name, value in complete.items() if counts(parameters[name])}
