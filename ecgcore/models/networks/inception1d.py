"""InceptionTime (Ismail Fawaz et al. 2020) as in the benchmark of PTB-XL: long, middle and short filters side by side.

The rate is never lowered. A shortcut leads past every three modules; maximum and mean over time are both kept, and a
hidden layer of 128 makes the features of them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import (
    Convolution,
    Sequences,
    mean_over_time,
    normalise,
    normalise_features,
    signed_max_pool,
)
from ecgcore.models.network import Network, Published
from ecgcore.parameters import choice, integer

NARROW = 32  # channels that the filters of a module read


class Inception1d(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 128)."""

    network = Network(
        input="any leads and length; made for 2.5 to 10 s at 100 Hz",
        source="inception1d of the benchmark of PTB-XL (Strodthoff et al. 2021)",
        published=Published(516_167, leads=12, classes=71),
        parameters={
            "branch_filters": integer(32, low=4, high=128, help="filters of each of the four branches of a module"),
            "longest_filter": choice(
                39, (19, 29, 39, 59, 79), help="samples of a module's longest filters; others see a half and a quarter"
            ),
            "shortcuts": integer(2, low=1, high=6, help="how many shortcuts, each past three modules"),
        },
    )
    features = 128

    def __init__(self, leads: int, *, branch_filters: int, longest_filter: int, shortcuts: int) -> None:
        super().__init__()
        width = 4 * branch_filters
        self.blocks = nn.Sequential(
            *(
                _Block(width if number else leads, filters=branch_filters, longest=longest_filter)
                for number in range(shortcuts)
            )
        )
        self.pooled_norm = nn.BatchNorm1d(2 * width)
        self.hidden = nn.Linear(2 * width, self.features)
        self.hidden_norm = nn.BatchNorm1d(self.features)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return features of maximum and mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        last = self.blocks(Sequences(signals, lengths).masked())
        # behind a ReLU the zeros beyond a record's end are never the larger
        pooled = normalise_features(self.pooled_norm, torch.cat([last.values.amax(-1), mean_over_time(last)], dim=1))
        return normalise_features(self.hidden_norm, F.relu(self.hidden(pooled)))


class _Block(nn.Module):
    """Three modules, and a shortcut of one sample that fits the width."""

    def __init__(self, inputs: int, *, filters: int, longest: int) -> None:
        super().__init__()
        width = 4 * filters
        self.inceptions = nn.Sequential(
            *(_Inception(width if number else inputs, filters=filters, longest=longest) for number in range(3))
        )
        self.shortcut = Convolution(inputs, width, kernel=1, relu=False)

    def forward(self, inputs: Sequences) -> Sequences:
        hidden, shortcut = self.inceptions(inputs), self.shortcut(inputs)
        return Sequences(F.relu(hidden.values + shortcut.values), hidden.lengths)


class _Inception(nn.Module):
    """Filters of three lengths over a narrow mixture of channels, and the maximum of each three samples."""

    def __init__(self, inputs: int, *, filters: int, longest: int) -> None:
        super().__init__()
        self.narrow = nn.Conv1d(inputs, NARROW, 1, bias=False)
        kernels = [longest // part | 1 for part in (1, 2, 4)]  # odd, for one without a middle shifts what it finds
        self.branches = nn.ModuleList(
            nn.Conv1d(NARROW, filters, kernel, padding=kernel // 2, bias=False) for kernel in kernels
        )
        self.pooled = nn.Conv1d(inputs, filters, 1, bias=False)
        self.norm = nn.BatchNorm1d(4 * filters)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, 4 x filters, time)."""
        narrow = self.narrow(inputs.values)
        largest = signed_max_pool(inputs, kernel=3, stride=1, padding=1).values
        together = torch.cat([*(branch(narrow) for branch in self.branches), self.pooled(largest)], dim=1)
        outputs = normalise(self.norm, Sequences(together, inputs.lengths))
        return Sequences(F.relu(outputs.values), inputs.lengths)
