"""A plain convolutional network: each convolution halves the rate, then a mean over time and one linear layer.

Made for 100 Hz. In outer evaluation on small cohorts it did better than networks that pool (CHANGELOG says where).
"""

from itertools import pairwise

from torch import Tensor, nn

from ecgcore.models.layers import Convolution, Sequences, mean_over_time
from ecgcore.models.network import Network
from ecgcore.parameters import choice, integer


class StridedCNN(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 4 x filters)."""

    network = Network(
        input="any leads and length; made for 10 to 30 s at 100 Hz",
        source="our own",
        parameters={
            "filters": integer(
                32, low=4, high=256, help="filters of the first convolution; the last has four times as many"
            ),
            "filter_length": choice(
                7, (3, 5, 7, 9, 11, 15), help="samples that each convolution sees, at the rate to which it came"
            ),
            "convolutions": integer(5, low=2, high=8, help="how many convolutions, each of which halves the rate"),
        },
    )

    def __init__(self, leads: int, *, filters: int, filter_length: int, convolutions: int) -> None:
        super().__init__()
        self.features = 4 * filters
        doubled = [filters * (1 if at == 0 else 2 if 2 * at <= convolutions else 4) for at in range(convolutions - 1)]
        widths = [leads, *doubled, self.features]
        self.blocks = nn.Sequential(
            *(Convolution(one, other, kernel=filter_length, stride=2) for one, other in pairwise(widths))
        )

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        return mean_over_time(self.blocks(Sequences(signals, lengths).masked()))
