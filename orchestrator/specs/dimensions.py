"""One dimension of a search space: what it may be, and how a value of it is drawn. Knows nothing of other dimensions.

Knows what can be drawn, not who draws: a dimension asks anything that can choose a value (see `Draw`).
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, Self

from pydantic import Discriminator, Field, Tag, model_validator

from orchestrator.specs.strict_model import StrictModel
from orchestrator.task import Scalar

Condition = Mapping[str, Scalar | list[Scalar]]


class Draw(Protocol):
    """Whoever chooses values; Optuna's Trial has these three methods."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...  # noqa: D102
    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...  # noqa: D102
    def suggest_categorical(self, name: str, choices: list[Scalar]) -> Scalar: ...  # noqa: D102


class AnyDimension(StrictModel):
    """What all dimensions share."""

    when: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    prior: Scalar = None  # where good values are thought to lie; None: at the task's default

    def values(self) -> list[Scalar] | None:
        """Return every value, or None where there are infinitely many."""
        return None

    def bounds(self) -> tuple[float, float] | None:
        """Return the smallest and the largest value of a range."""
        return None

    def holds(self, value: Scalar) -> bool:
        """Return whether a value is one that can be drawn."""
        return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.values() or [])

    @model_validator(mode="after")
    def _prior_can_be_drawn(self) -> Self:
        if self.prior is not None and not self.holds(self.prior):
            raise ValueError(f"prior must be a value that can be drawn, got {self.prior!r}")
        return self


class Choice(AnyDimension):
    """One of the values listed."""

    choice: list[Scalar] = Field(min_length=1)

    def values(self) -> list[Scalar]:  # noqa: D102
        return list(self.choice)

    def draw(self, name: str, source: Draw) -> Scalar:  # noqa: D102
        return source.suggest_categorical(name, list(self.choice))


class Cell(AnyDimension):
    """Each of the values listed, with a study of its own: the outer grid around a sampler."""

    grid: list[Scalar] = Field(min_length=1)

    def values(self) -> list[Scalar]:  # noqa: D102
        return list(self.grid)

    @model_validator(mode="after")
    def _unconditional(self) -> Self:
        if self.when:
            raise ValueError("a grid value is fixed before the sampler draws, so it takes no `when`; use choice")
        if self.prior is not None:
            raise ValueError("each grid value has a study of its own, so it takes no `prior`; use choice")
        return self


class Range(AnyDimension):
    """What dimensions between two bounds share."""

    def holds(self, value: Scalar) -> bool:  # noqa: D102
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self.bounds() or (0.0, 0.0)
        step = getattr(self, "step", None)
        steps = (value - low) / step if step else 0.0
        return low <= value <= high and math.isfinite(steps) and abs(steps - round(steps)) < 1e-8

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


class Uniform(Range):
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


class LogUniform(Range):
    """A float between two positive bounds, uniform in its logarithm."""

    log_uniform: tuple[float, float] = Field(strict=False)

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return self.log_uniform

    def draw(self, name: str, source: Draw) -> float:  # noqa: D102
        return source.suggest_float(name, *self.log_uniform, step=None, log=True)


class Integer(Range):
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
