"""Every hyperparameter of the classifier: name, default, kind, range and help, in one place.

Imports no torch, so that a plan can be checked without it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

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


def _choice(default: str, choices: tuple[Scalar, ...], text: str) -> Any:
    return _field(Parameter(default=default, kind="choice", choices=choices, help=text))


def _float(default: float, low: float, high: float, text: str) -> Any:
    return _field(Parameter(default=default, kind="float", low=low, high=high, help=text))


def _integer(default: int, low: int, high: int, text: str) -> Any:
    return _field(Parameter(default=default, kind="integer", low=low, high=high, help=text))


def _field(parameter: Parameter) -> Any:
    return field(default=parameter.default, metadata={"parameter": parameter})


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """A configuration, checked once when it is read; afterwards code trusts it."""

    model: Literal["cnn1d", "resnet_lstm"] = _choice(
        "cnn1d", ("cnn1d", "resnet_lstm"), "architecture: cnn1d (47 k weights) or resnet_lstm (3.0 M weights)"
    )
    train: Literal["full", "head"] = _choice(
        "full",
        ("full", "head"),
        "what learns: full, or head (backbone of start_from frozen; augmentation makes it slower)",
    )
    optimizer: Literal["adamw", "sgd"] = _choice("adamw", ("adamw", "sgd"), "AdamW, or SGD with Nesterov momentum")
    learning_rate: float = _float(1e-3, 1e-8, 10.0, "peak learning rate")
    weight_decay: float = _float(1e-2, 0.0, 1.0, "decay of weight matrices; biases and norms are spared")
    momentum: float = _float(0.9, 0.0, 0.999, "momentum of sgd; adamw ignores it")
    schedule: Literal["cosine", "one_cycle"] = _choice(
        "one_cycle",
        ("cosine", "one_cycle"),
        "course of the learning rate over the fit's max_steps, changed at each batch",
    )
    batch_size: int = _integer(16, 1, 4096, "records a batch, at most")
    loss: Literal["auto", "cross_entropy", "weighted_bce", "focal"] = _choice(
        "auto",
        ("auto", "cross_entropy", "weighted_bce", "focal"),
        "auto: cross_entropy for one label a record, weighted_bce (neg/pos) for several, as focal is",
    )
    focal_gamma: float = _float(2.0, 0.0, 10.0, "focal: how much well-classified labels count less; 0 is none")
    focal_alpha: float = _float(0.75, 0.0, 1.0, "focal: weight of positives; negatives weigh 1 - alpha")
    dropout: float = _float(0.2, 0.0, 0.95, "share of the head's activations dropped in training")
    gradient_clip: float = _float(1.0, 0.0, 1e6, "largest norm of the gradient; 0 is no limit")
    noise: float = _float(0.0, 0.0, 1.0, "augmentation: sd in mV of Gaussian noise, added to half of the records")
    lead_dropout: float = _float(0.0, 0.0, 1.0, "augmentation: probability that one lead of a record is set to zero")
    amplitude_scale: float = _float(0.0, 0.0, 0.9, "augmentation: a record is scaled by 1 - x to 1 + x")
    time_shift: float = _float(
        0.0,
        0.0,
        60.0,
        "augmentation: seconds; a window shorter than the record by this is cut at a random place",
    )

    @classmethod
    def read(cls, config: Mapping[str, Scalar]) -> Self:
        """Check `config` and fill in the defaults.

        Raises ValueError with every mistake, one a line: name, rule, value.
        """
        mistakes = [
            f"{name}: no such hyperparameter; there are {', '.join(PARAMETERS)}"
            for name in config
            if name not in PARAMETERS
        ]
        for name, value in config.items():
            mistake = PARAMETERS[name].mistake(value) if name in PARAMETERS else None
            if mistake is not None:
                mistakes.append(f"{name}: {mistake}")
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return cls(**config)  # type: ignore[arg-type]  # each value was checked against its kind above


PARAMETERS: Mapping[str, Parameter] = {item.name: item.metadata["parameter"] for item in fields(Hyperparameters)}
