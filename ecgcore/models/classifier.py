"""A classifier: a normalisation, a backbone that turns a record into features, a head that turns those into logits."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ecgcore.fit import Scalar
from ecgcore.mistakes import Mistake
from ecgcore.models.heads import hidden_head, linear_head
from ecgcore.models.normalisation import AsItIs, build_normalisation
from ecgcore.models.registry import class_of, network_of, own_values
from ecgcore.models.single_lead import SingleLead, recorded

SHORTEST = 16  # samples; below this the convolutions leave nothing to average


class Classifier(nn.Module):
    """`head(backbone(normalisation(signals), lengths))`; backbone and head are trained together, or the head alone."""

    def __init__(self, backbone: nn.Module, head: nn.Module, normalisation: nn.Module | None = None) -> None:
        super().__init__()
        self.normalisation = normalisation or AsItIs()
        self.backbone = backbone
        self.head = head

    @property
    def weights(self) -> int:
        """How many numbers can be learnt."""
        return sum(weight.numel() for weight in self.parameters())

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, classes).

        signals: (batch, leads, samples) in mV, whatever lies beyond a record's length is ignored.
        lengths: (batch,) int64 in samples, on the CPU. Raises ValueError if one is below 16.
        """
        return self.head(self.features(signals, lengths))  # type: ignore[no-any-return]  # untyped call

    def features(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return what the backbone makes of the signals: (batch, features)."""
        if int(lengths.min()) < SHORTEST:
            raise Mistake(
                f"a record must have at least {SHORTEST} samples, got {int(lengths.min())}; leave it out of the store"
            )
        scaled = self.normalisation(signals, lengths)
        if isinstance(self.backbone, SingleLead):
            return self.backbone(scaled, lengths, there=recorded(signals))  # type: ignore[no-any-return]
        return self.backbone(scaled, lengths)  # type: ignore[no-any-return]  # untyped call


def build_classifier(
    name: str,
    *,
    leads: int,
    classes: int,
    dropout: float = 0.0,
    normalise: Literal["none", "record", "train"] = "none",
    single_lead: bool = False,
    own: Mapping[str, Scalar] = MappingProxyType({}),
) -> Classifier:
    """Build a model with fresh weights drawn from torch's global generator.

    name: of the registry, or `package.module:Class`. single_lead: whether the network sees one lead at a time. own: the
    network's own hyperparameters; the rest has its default.
    Raises ValueError where there is no such network, or its class is not one.
    """
    normalisation = build_normalisation(normalise, leads=leads)
    values = own_values(name, own)
    leads = 1 if single_lead else leads
    if network_of(name).head == "linear":
        backbone = _backbone(name, leads, values, single_lead=single_lead)
        head = linear_head(backbone.features, classes=classes, dropout=dropout)
        return Classifier(backbone, head, normalisation)
    # A hidden head is drawn before its backbone, as it always was: equal seeds go on giving equal weights.
    with torch.random.fork_rng(devices=[]):
        features = _backbone(name, leads, values).features
    head = hidden_head(features, hidden=64, classes=classes, dropout=dropout)
    return Classifier(_backbone(name, leads, values, single_lead=single_lead), head, normalisation)


def _backbone(name: str, leads: int, values: Mapping[str, Scalar], *, single_lead: bool = False) -> Any:
    made = class_of(name)
    try:
        inspect.signature(made).bind(leads, **values)
    except TypeError as error:
        raise Mistake(f"model {name}: must take leads and its own hyperparameters by name ({error})") from None
    backbone = made(leads, **values)
    if not isinstance(backbone, nn.Module) or not isinstance(getattr(backbone, "features", None), int):
        raise Mistake(f"model {name}: must be an nn.Module that says in `features` how many it makes of a record")
    return SingleLead(backbone) if single_lead else backbone
