"""A residual network with squeeze and excitation and a global pool, for long records.

Made for 100 Hz and half a minute: each of its six halvings of the rate is paid once, so that the last blocks see
several beats at a time, and a rhythm's irregularity with them. Mean and maximum over time are both kept: a rhythm
lasts, an extrasystole does not.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ecgcore.models.layers import Block, Convolution, Sequences, max_pool, mean_over_time, shares_left_out
from ecgcore.models.network import Network, stochastic_depth

WIDTHS = (24, 32, 48, 64, 96)


class ResNet1d(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, 192)."""

    network = Network(
        input="any leads and length; made for 30 s at 100 Hz",
        source="our own",
        parameters={"stochastic_depth": stochastic_depth()},
    )
    features = 2 * WIDTHS[-1]

    def __init__(self, leads: int, *, stochastic_depth: float = 0.0) -> None:
        super().__init__()
        self.stem = Convolution(leads, WIDTHS[0], kernel=15, stride=2)
        shares = shares_left_out(stochastic_depth, blocks=len(WIDTHS) - 1)
        self.blocks = nn.Sequential(
            *(
                Block(inputs, outputs, stride=2, left_out=share)
                for (inputs, outputs), share in zip(pairwise(WIDTHS), shares, strict=True)
            )
        )

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return mean and maximum over each record's own time; lengths (batch,) in samples, on the CPU."""
        hidden = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        last = self.blocks(hidden)
        # behind a ReLU the zeros beyond a record's end are never the larger
        return torch.cat([mean_over_time(last), last.values.amax(-1)], dim=1)
