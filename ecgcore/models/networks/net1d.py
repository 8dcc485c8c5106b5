"""Net1D (Hong et al. 2020), the network of ECGFounder, at a moderate size: bottlenecks of grouped convolutions.

Each stage halves the rate; norm and activation come before each convolution. Against the source its convolutions see an
odd number of samples and pad alike on both sides, whatever a record's length, and every second stage doubles the width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import (
    Convolution,
    LeftOut,
    Sequences,
    mean_over_time,
    normalise,
    output_lengths,
    shares_left_out,
    signed_max_pool,
)
from ecgcore.models.network import Network, stochastic_depth
from ecgcore.parameters import choice, integer


class Net1D(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, width of the last stage)."""

    network = Network(
        input="any leads and length; made for 10 s at 500 Hz",
        source="Net1D (Hong et al. 2020), the network of ECGFounder (Li et al. 2025), smaller",
        parameters={
            "groups": integer(4, low=1, high=8, help="groups of channels of the first stage's convolutions"),
            "group_width": choice(16, (4, 8, 16, 32), help="channels of a group, in every stage"),
            "group_filter": choice(15, (3, 5, 7, 9, 11, 15, 19), help="samples that a grouped convolution sees"),
            "stages": integer(
                5, low=1, high=7, help="how many stages; each halves the rate, each second doubles width"
            ),
            "stage_blocks": integer(2, low=1, high=4, help="residual blocks of a stage"),
            "stochastic_depth": stochastic_depth(),
        },
    )

    def __init__(
        self,
        leads: int,
        *,
        groups: int,
        group_width: int,
        group_filter: int,
        stages: int,
        stage_blocks: int,
        stochastic_depth: float,
    ) -> None:
        super().__init__()
        widths = [
            groups * group_width * 2 ** ((stage + 1) // 2) for stage in range(stages) for _ in range(stage_blocks)
        ]
        self.features = widths[-1]
        shares = shares_left_out(stochastic_depth, blocks=len(widths))
        self.stem = Convolution(leads, widths[0], kernel=group_filter, stride=2, relu=False)
        self.blocks = nn.Sequential(
            *(
                _Block(
                    widths[max(number - 1, 0)],
                    width,
                    kernel=group_filter,
                    groups=width // group_width,
                    stride=1 if number % stage_blocks else 2,
                    first=number == 0,
                    left_out=share,
                )
                for number, (width, share) in enumerate(zip(widths, shares, strict=True))
            )
        )

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        values, halved = self.stem(Sequences(signals, lengths).masked())
        return mean_over_time(self.blocks(Sequences(F.silu(values), halved)))


class _Block(nn.Module):
    """Convolutions of one, many and one sample, the middle one grouped, excitation, and a shortcut without weights."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, groups: int, stride: int, first: bool, left_out: float
    ) -> None:
        super().__init__()
        self.first = _Before(inputs, outputs, normed=not first)  # behind the stem's own norm and activation
        self.second = _Before(outputs, outputs, kernel=kernel, stride=stride, groups=groups)
        self.third = _Before(outputs, outputs)
        self.squeeze = nn.Linear(outputs, outputs // 2)
        self.excite = nn.Linear(outputs // 2, outputs)
        self.halves, self.wider = stride == 2, outputs - inputs
        self.left_out = LeftOut(left_out)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, outputs, about time / stride)."""
        hidden = self.third(self.second(self.first(inputs)))
        scale = torch.sigmoid(self.excite(F.silu(self.squeeze(mean_over_time(hidden)))))
        shortcut = signed_max_pool(inputs, kernel=3, stride=2, padding=1) if self.halves else inputs
        # the channels that are new come to both sides of those that were there
        shortcut_values = F.pad(shortcut.values, (0, 0, self.wider // 2, self.wider - self.wider // 2))
        return Sequences(self.left_out(hidden.values * scale[..., None]) + shortcut_values, hidden.lengths)


class _Before(nn.Module):
    """A convolution, with norm and activation before it."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, groups: int = 1, normed: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.norm = nn.BatchNorm1d(inputs) if normed else None
        self.convolution = nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)

    def forward(self, inputs: Sequences) -> Sequences:
        values = inputs.values if self.norm is None else F.silu(normalise(self.norm, inputs).values)
        lengths = output_lengths(inputs.lengths, kernel=self.kernel, stride=self.stride, padding=self.kernel // 2)
        return Sequences(self.convolution(values), lengths).masked()
