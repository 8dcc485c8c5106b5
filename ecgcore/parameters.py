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

    model: Literal["cnn1d", "resnet1d", "resnet_lstm"] = _choice(
        "cnn1d",
        ("cnn1d", "resnet1d", "resnet_lstm"),
        "architecture: cnn1d (47 k weights), resnet1d (0.2 M, for long records) or resnet_lstm (3.0 M)",
    )
    normalise: Literal["none", "record", "train"] = _choice(
        "none",
        ("none", "record", "train"),
        "input scale: mV as it is, each lead of a record to mean 0 and sd 1, or by the train part's mean and sd a lead",
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
    schedule: Literal["constant", "step", "plateau", "cosine", "one_cycle"] = _choice(
        "one_cycle",
        ("constant", "step", "plateau", "cosine", "one_cycle"),
        "course of the learning rate over the fit's max_steps, changed at each batch; plateau: at each epoch",
    )
    warmup: float = _float(0.0, 0.0, 0.5, "cosine: share of the fit in which the learning rate rises from zero")
    restarts: int = _integer(0, 0, 20, "cosine: how often it starts again at the learning rate, at equal distances")
    decay_factor: float = _float(0.3, 0.001, 1.0, "step, plateau: what the learning rate is multiplied with")
    decay_epochs: int = _integer(
        5,
        1,
        1000,
        "step: every so many epochs; plateau: after so many without a smaller validation loss (in a final: training)",
    )
    precision: Literal["float32", "bfloat16"] = _choice(
        "float32", ("float32", "bfloat16"), "arithmetic of training; bfloat16: torch's autocast. Judged in float32"
    )
    averaging: float = _float(
        0.0, 0.0, 0.9999, "decay of the weights' moving average, which is then scored and saved; 0: none"
    )
    patience: int = _integer(0, 0, 1000, "epochs without a better `stop_on` after which a fit ends; 0: never")
    stop_on: Literal["val_loss", "macro_auc", "macro_f1"] = _choice(
        "val_loss", ("val_loss", "macro_auc", "macro_f1"), "patience: the score that has to become better"
    )
    batch_size: int = _integer(16, 1, 4096, "records a batch, at most")
    sampling: Literal["natural", "balanced"] = _choice(
        "natural",
        ("natural", "balanced"),
        "an epoch is each record once, or as many drawn with replacement, each class as likely as any",
    )
    similar_lengths: bool = _field(
        Parameter(default=False, kind="boolean", help="batches of records of similar lengths: less padding, less time")
    )
    loss: Literal["auto", "cross_entropy", "weighted_cross_entropy", "bce", "weighted_bce", "focal", "asymmetric"] = (
        _choice(
            "auto",
            ("auto", "cross_entropy", "weighted_cross_entropy", "bce", "weighted_bce", "focal", "asymmetric"),
            "auto: cross_entropy for one label a record, weighted_bce (neg/pos) for several; the rest is for several",
        )
    )
    focal_gamma: float = _float(2.0, 0.0, 10.0, "focal: how much well-classified labels count less; 0 is none")
    focal_alpha: float = _float(0.75, 0.0, 1.0, "focal: weight of positives; negatives weigh 1 - alpha")
    asymmetric_positive: float = _float(0.0, 0.0, 10.0, "asymmetric: gamma of positives")
    asymmetric_negative: float = _float(4.0, 0.0, 10.0, "asymmetric: gamma of negatives")
    asymmetric_margin: float = _float(0.05, 0.0, 0.5, "asymmetric: probability below which a negative costs nothing")
    dropout: float = _float(0.2, 0.0, 0.95, "share of the head's activations dropped in training")
    gradient_clip: float = _float(1.0, 0.0, 1e6, "largest norm of the gradient; 0 is no limit")
    noise: float = _float(0.0, 0.0, 1.0, "augmentation: sd in mV of Gaussian noise, added to half of the records")
    baseline_wander: float = _float(
        0.0, 0.0, 2.0, "augmentation: largest amplitude in mV of slow waves (.05-.5 Hz), added to half of the records"
    )
    power_line: float = _float(
        0.0, 0.0, 1.0, "augmentation: largest amplitude in mV of the mains' hum, added to half of the records"
    )
    power_line_frequency: int = _field(
        Parameter(default=50, kind="choice", choices=(50, 60), help="power_line: Hz; the store needs twice as much")
    )
    lead_dropout: float = _float(0.0, 0.0, 1.0, "augmentation: probability that one lead of a record is set to zero")
    amplitude_scale: float = _float(0.0, 0.0, 0.9, "augmentation: a record is scaled by 1 - x to 1 + x")
    amplitude_warp: float = _float(
        0.0, 0.0, 0.9, "augmentation: as amplitude_scale, by a factor that drifts over the record"
    )
    time_shift: float = _float(
        0.0,
        0.0,
        60.0,
        "augmentation: seconds; a window shorter than the record by this is cut at a random place",
    )
    window: float = _float(0.0, 0.0, 3600.0, "augmentation: seconds; longer records are cut to it, anywhere; 0: never")
    time_mask: float = _float(0.0, 0.0, 60.0, "augmentation: seconds; a stretch of up to this is set to zero")
    mixup: float = _float(
        0.0, 0.0, 10.0, "augmentation: alpha of the Beta distribution of shares in which two records are mixed"
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
