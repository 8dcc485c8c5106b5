"""A residual network of 33 bottlenecks, the strongest of the first benchmark of PTB-XL (Strodthoff et al. 2021).

Made for 100 Hz. A block that halves the rate averages each two samples on its shortcut; maximum and mean over time are
both kept, and a hidden layer of 128 makes the features of them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import (
    Convolution,
    LeftOut,
    Sequences,
    max_pool,
    mean_over_time,
    normalise_features,
    shares_left_out,
)
from ecgcore.models.network import Network, Published, stochastic_depth

BLOCKS = (3, 4, 23, 3)
NARROW, WIDE = 64, 256


class XResNet1d101(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 128)."""

    network = Network(
        input="any leads and length; made for 2.5 to 10 s at 100 Hz",
        source="xresnet1d101 of the benchmark of PTB-XL (Strodthoff et al. 2021)",
        published=Published(1_880_775, leads=12, classes=71),
        parameters={"stochastic_depth": stochastic_depth()},
    )
    features = 128

    def __init__(self, leads: int, *, stochastic_depth: float = 0.0) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Convolution(leads, 32, kernel=5, stride=2),
            Convolution(32, 32, kernel=5),
            Convolution(32, NARROW, kernel=5),
        )
        places = [(stage, number) for stage, count in enumerate(BLOCKS) for number in range(count)]
        shares = shares_left_out(stochastic_depth, blocks=len(places))
        blocks = [
            _Bottleneck(WIDE if stage or number else NARROW, stride=2 if stage and not number else 1, left_out=share)
            for (stage, number), share in zip(places, shares, strict=True)
        ]
        self.blocks = nn.Sequential(*blocks)
        self.pooled_norm = nn.BatchNorm1d(2 * WIDE)
        self.hidden = nn.Linear(2 * WIDE, self.features)
        self.hidden_norm = nn.BatchNorm1d(self.features)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
        for block in blocks:
            nn.init.zeros_(block.third.norm.weight)  # at first each block lets its input through

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return features of maximum and mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        stem = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        last = self.blocks(stem)
        # behind a ReLU the zeros beyond a record's end are never the larger
        pooled = normalise_features(self.pooled_norm, torch.cat([last.values.amax(-1), mean_over_time(last)], dim=1))
        return normalise_features(self.hidden_norm, F.relu(self.hidden(pooled)))


class _Bottleneck(nn.Module):
    """Convolutions of one, five and one sample, the middle one narrow, and a shortcut."""

    def __init__(self, inputs: int, *, stride: int, left_out: float) -> None:
        super().__init__()
        self.first = Convolution(inputs, NARROW, kernel=1)
        self.second = Convolution(NARROW, NARROW, kernel=5, stride=stride)
        self.third = Convolution(NARROW, WIDE, kernel=1, relu=False)
        self.halves = stride == 2
        self.shortcut = None if inputs == WIDE else Convolution(inputs, WIDE, kernel=1, relu=False)
        self.left_out = LeftOut(left_out)

    def forward(self, inputs: Sequences) -> Sequences:
        hidden = self.third(self.second(self.first(inputs)))
        shortcut = _mean_of_pairs(inputs) if self.halves else inputs
        shortcut = shortcut if self.shortcut is None else self.shortcut(shortcut)
        return Sequences(F.relu(self.left_out(hidden.values) + shortcut.values), hidden.lengths)


def _mean_of_pairs(inputs: Sequences) -> Sequences:
    """Halve the rate; the last sample of a record of odd length stays as it is."""
    sums = 2 * F.avg_pool1d(F.pad(inputs.values, (0, inputs.values.shape[-1] % 2)), 2)
    counts = (inputs.lengths[:, None] - 2 * torch.arange(sums.shape[-1])).clamp(1, 2)
    return Sequences(sums / counts.to(sums)[:, None], (inputs.lengths + 1) // 2)
