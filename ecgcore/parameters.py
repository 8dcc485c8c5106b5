"""One hyperparameter: its kind, its range, its default, a line of help; four ways to declare one.

Imports no torch, so that a plan can be checked without it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecgcore.fit import Scalar

Kind = Literal["float", "integer", "choice", "boolean"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One hyperparameter: what it may be, and what it is unless said otherwise."""

    default: Scalar
    kind: Kind
    low: float | None = None  # smallest allowed value of a float or integer
    high: float | None = None  # largest
    choices: tuple[Scalar, ...] = ()  # the allowed values of a choice
    help: str  # one line, with the unit
    # Counts only where each hyperparameter named here has one of these values; empty: always.
    only_with: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    of_training: bool = False  # says how a network learns, not what it is: weights fit, whatever it was

    def mistake(self, value: object) -> str | None:
        """Return what is wrong with `value`, as `rule, got value`, or None."""
        if self.kind in ("choice", "boolean"):
            allowed: tuple[Scalar, ...] = self.choices if self.kind == "choice" else (False, True)
            right = any(type(value) is type(choice) and value == choice for choice in allowed)
            return None if right else f"must be one of {', '.join(map(str, allowed))}, got {value!r}"
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if self._is_number(value) and low <= value <= high:  # type: ignore[operator]  # a number, as just seen
            return None
        return f"must be a {'whole ' * (self.kind == 'integer')}number from {low:g} to {high:g}, got {value!r}"

    def _is_number(self, value: object) -> bool:
        if isinstance(value, bool):  # which Python counts as an integer
            return False
        return isinstance(value, int) or (self.kind == "float" and isinstance(value, float) and math.isfinite(value))


def number(default: float, *, low: float, high: float, help: str) -> Parameter:
    """Declare a number between two bounds, both included."""
    return Parameter(default=default, kind="float", low=low, high=high, help=help)


def integer(default: int, *, low: int, high: int, help: str) -> Parameter:
    """Declare a whole number between two bounds, both included."""
    return Parameter(default=default, kind="integer", low=low, high=high, help=help)


def choice(default: Scalar, choices: tuple[Scalar, ...], *, help: str) -> Parameter:
    """Declare one of the values listed."""
    return Parameter(default=default, kind="choice", choices=choices, help=help)


def boolean(default: bool, *, help: str) -> Parameter:
    """Declare true or false."""
    return Parameter(default=default, kind="boolean", help=help)
