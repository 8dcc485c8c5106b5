"""A network of one's own, with hyperparameters of its own: see README, "Your own network"."""

import torch
from torch import Tensor, nn

from ecgcore.models.layers import Convolution, Sequences, mean_over_time
from ecgcore.models.network import Network
from ecgcore.parameters import choice, integer


class TwoScales(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, 2 x channels), from a short and a long look at the same signal."""

    network = Network(
        input="any leads, at least 16 samples",
        source="our own",
        parameters={
            "channels_a_scale": integer(16, low=4, high=128, help="channels of each of the two convolutions"),
            "reach": choice(31, (15, 31, 63), help="samples that the long convolution sees"),
        },
    )

    def __init__(self, leads: int, *, channels_a_scale: int, reach: int) -> None:
        super().__init__()
        self.features = 2 * channels_a_scale
        self.short = Convolution(leads, channels_a_scale, kernel=5, stride=2)
        self.long = Convolution(leads, channels_a_scale, kernel=reach, stride=2)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return means over each record's own time; lengths (batch,) in samples, on the CPU."""
        inside = Sequences(signals, lengths).masked()
        return torch.cat([mean_over_time(self.short(inside)), mean_over_time(self.long(inside))], dim=1)
