"""The scale on which a network sees a record: mV as it is, each lead's own, or that of the train part.

A part of the model, so that whoever serves it hands in mV in any case. Statistics of the train part come from
ecgcore/training/train_statistics.py and are kept with the weights.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from ecgcore.models.layers import Sequences

FLAT = 1e-4  # mV; a lead whose sd is smaller is missing: it becomes zeros, not magnified rounding errors


class AsItIs(nn.Module):
    """mV go in and out."""

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, leads, samples) unchanged."""
        return signals


class ByRecord(nn.Module):
    """Each lead of a record less its mean, over its standard deviation."""

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """(batch, leads, samples) in mV to the same in standard deviations, zeros beyond each length."""
        samples = lengths.to(signals)[:, None, None]
        inside = Sequences(signals, lengths).masked().values
        centred = Sequences(inside - inside.sum(-1, keepdim=True) / samples, lengths).masked().values
        deviation = (centred.square().sum(-1, keepdim=True) / samples).sqrt()
        return torch.where(deviation > FLAT, centred / deviation.clamp(min=FLAT), 0.0)


class ByTraining(nn.Module):
    """Each lead less its mean over the train part, over its standard deviation there."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(leads))
        self.register_buffer("deviation", torch.ones(leads))

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """(batch, leads, samples) in mV to the same in standard deviations."""
        return (signals - self.mean[:, None]) / self.deviation[:, None]

    def set_scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the train part's mean and standard deviation of each lead, in mV."""
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > FLAT, deviation, 1.0))


def build_normalisation(name: Literal["none", "record", "train"], *, leads: int) -> nn.Module:
    """Build the normalisation that the hyperparameter `normalise` names."""
    if name == "record":
        return ByRecord()
    return ByTraining(leads) if name == "train" else AsItIs()
