"""Two residual networks side by side, one of short convolutions and one of long ones, each gated, then joined."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import Convolution, Sequences, mean_over_time
from ecgcore.models.network import Network, Published

WIDTHS = (32, 64, 128, 256)


class DualPathResNet(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, 512)."""

    network = Network(
        input="any leads and length; made for beats of 1.5 s at 125 Hz, one lead",
        source="DualPathResNet of a published search with Ray Tune on the heartbeats of MIT-BIH",
        published=Published(1_684_357, leads=1, classes=5),
    )
    features = 2 * WIDTHS[-1]

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.stem = Convolution(leads, WIDTHS[0], kernel=7, bias=True)
        self.local, self.wide = (_Path(kernel=kernel) for kernel in (3, 7))
        self.joined = Convolution(self.features, self.features, kernel=1, bias=True)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        stem = self.stem(Sequences(signals, lengths).masked())
        both = torch.cat([self.local(stem).values, self.wide(stem).values], dim=1)
        return mean_over_time(self.joined(Sequences(both, stem.lengths)))


class _Path(nn.Module):
    """Three residual blocks at the full rate, and a gate for each channel and moment."""

    def __init__(self, *, kernel: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_Residual(one, other, kernel=kernel) for one, other in pairwise(WIDTHS)))
        self.squeeze = Convolution(WIDTHS[-1], WIDTHS[-1] // 8, kernel=1, bias=True)
        self.gate = nn.Conv1d(WIDTHS[-1] // 8, WIDTHS[-1], 1)

    def forward(self, inputs: Sequences) -> Sequences:
        values, lengths = self.blocks(inputs)
        gate = torch.sigmoid(self.gate(self.squeeze(Sequences(values, lengths)).values))
        return Sequences(values * gate, lengths)


class _Residual(nn.Module):
    """Two convolutions, and a shortcut of one sample that fits the width."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, kernel=kernel, bias=True)
        self.second = Convolution(outputs, outputs, kernel=kernel, bias=True, relu=False)
        self.shortcut = Convolution(inputs, outputs, kernel=1, bias=True, relu=False)

    def forward(self, inputs: Sequences) -> Sequences:
        hidden, shortcut = self.second(self.first(inputs)), self.shortcut(inputs)
        return Sequences(F.relu(hidden.values + shortcut.values), hidden.lengths)
