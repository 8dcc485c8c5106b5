"""Every hyperparameter of the classifier: what all networks share is here, the networks' own is in their files.

Imports no torch, so that a plan can be checked without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, Self

from ecgcore.fit import Scalar
from ecgcore.mistakes import Mistake
from ecgcore.models.network import Takes
from ecgcore.models.registry import network_of, own_parameters, own_values, places
from ecgcore.parameters import Parameter, boolean, choice, integer, number

# What changes signals, and is refused beside a network that takes charts.
_SCALES = ("normalise", "amplitude_scale", "amplitude_warp")
OF_SIGNALS = (
    *_SCALES,
    "noise",
    "baseline_wander",
    "power_line",
    "lead_dropout",
    "time_shift",
    "window",
    "time_mask",
    "single_lead",
)


def _choice(default: str, choices: tuple[Scalar, ...], text: str) -> Any:
    return _field(choice(default, choices, help=text))


def _float(default: float, low: float, high: float, text: str) -> Any:
    return _field(number(default, low=low, high=high, help=text))


def _integer(default: int, low: int, high: int, text: str) -> Any:
    return _field(integer(default, low=low, high=high, help=text))


def _field(parameter: Parameter) -> Any:
    return field(default=parameter.default, metadata={"parameter": parameter})


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """A configuration, checked once when it is read; afterwards code trusts it."""

    model: str = _choice(
        "cnn1d", (), "architecture: a name of `orchestrate models`, or your own as package.module:Class"
    )
    normalise: Literal["none", "record", "train"] = _choice(
        "none",
        ("none", "record", "train"),
        "input scale: mV as it is, each lead of a record to mean 0 and sd 1, or by the train part's mean and sd a lead",
    )
    single_lead: bool = _field(
        boolean(
            False,
            help="the network sees one lead at a time: in training a random one at each visit, else each in turn, its "
            "features averaged; flat leads are passed over",
        )
    )
    train: Literal["full", "head", "random_backbone", "none"] = _choice(
        "full",
        ("full", "head", "random_backbone", "none"),
        "what learns: full; head: backbone of start_from frozen; random_backbone: frozen as drawn, start_from unused; "
        "none: start_from as it is; of classes that it does not know it says the same of every record",
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
        "step: every so many epochs; plateau: after so many without a smaller training loss",
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
        boolean(False, help="batches of records of similar lengths: less padding, less time")
    )
    loss: str = _choice(
        "auto",
        (
            "auto",
            "cross_entropy",
            "weighted_cross_entropy",
            "bce",
            "weighted_bce",
            "focal",
            "asymmetric",
            "weighted_focal",
        ),
        "auto: cross_entropy for one label a record, weighted_bce (neg/pos) for several; cross_entropy, focal and "
        "weighted_* (by class) are for one, the rest and focal for several",
    )
    focal_gamma: float = _float(2.0, 0.0, 10.0, "focal: how much well-classified labels count less; 0 is none")
    focal_alpha: float = _float(
        0.75, 0.0, 1.0, "focal of several labels: weight of positives; negatives weigh 1 - alpha"
    )
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
    power_line_frequency: int = _field(choice(50, (50, 60), help="power_line: Hz; the store needs twice as much"))
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

    own: Mapping[str, Scalar] = field(default_factory=dict)  # the network's own, by name

    @classmethod
    def read(cls, config: Mapping[str, Scalar]) -> Self:
        """Check `config` and fill in the defaults.

        Raises ValueError with every mistake, one a line: name, rule, value.
        """
        model = config.get("model", _SHARED["model"].default)
        known = known_parameters({"model": [model]})
        mistakes = [f"{name}: {mistake}" for name in config if (mistake := _mistake(name, config, known))]
        if mistakes:
            raise Mistake("\n".join(mistakes))
        shared = {name: value for name, value in config.items() if name in _SHARED}
        read = cls(**shared, own=own_values(str(model), config))  # type: ignore[arg-type]  # each value was checked above
        changed = [name for name in OF_SIGNALS if getattr(read, name) != _SHARED[name].default]
        if changed and read.takes == "charts":
            raise Mistake(
                f"{', '.join(changed)}: must be left out, as it changes signals and {model} takes charts; beside a "
                "network that takes signals, give it `when: {model: ...}`"
            )
        return read

    @property
    def takes(self) -> Takes:
        """Whether the network is given signals or charts."""
        return network_of(self.model).takes

    def config(self) -> dict[str, Scalar]:
        """Return every hyperparameter that counts, by name."""
        return {name: getattr(self, name) for name in _SHARED} | dict(self.own)


_SHARED: Mapping[str, Parameter] = {
    item.name: item.metadata["parameter"] for item in fields(Hyperparameters) if item.name != "own"
}


def known_parameters(listed: Mapping[str, Sequence[Scalar]] = MappingProxyType({})) -> dict[str, Parameter]:
    """Return every hyperparameter that a config may name, where a search lists these values of some of them.

    Networks of one's own are known where `listed` names them under `model`. Raises ValueError, a mistake a line as
    `model: rule, value`, for one that cannot be read.
    """
    model = _SHARED["model"]
    named = [str(name) for name in listed.get("model", [model.default])]
    there = [name for name in named if ":" in name or name in places()]  # the rest is no choice of `model`
    try:
        own = own_parameters(there, taken=_SHARED)
    except ValueError as error:
        raise Mistake("\n".join(f"model: {line}" for line in str(error).splitlines())) from None
    choices = tuple(dict.fromkeys([*places(), *there]))
    return {**_SHARED, "model": replace(model, choices=choices), **own}


def _mistake(name: str, config: Mapping[str, Scalar], known: Mapping[str, Parameter]) -> str | None:
    if name not in known:
        return f"no such hyperparameter; there are {', '.join(known)}"
    model = config.get("model", known["model"].default)
    owners = known[name].only_with.get("model", (model,))
    if model not in owners:
        return f"is of {', '.join(map(str, owners))}, and model is {model}"
    return known[name].mistake(config[name])
