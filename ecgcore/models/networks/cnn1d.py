"""A small convolutional network of three convolutions and a global average.

Made for 100 Hz; at other rates the same kernels see another stretch of time.
"""

from torch import Tensor, nn

from ecgcore.models.layers import Convolution, Sequences, max_pool, mean_over_time
from ecgcore.models.network import Network, Published


class CNN1d(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 128)."""

    network = Network(
        input="any leads and length; made for 10 s at 100 Hz",
        source="CNN1D of a published comparison with CNN2D on PTB-XL, patients kept together",
        head="hidden",
        published=Published(46_757, leads=12, classes=5),
    )
    features = 128

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.first = Convolution(leads, 32, kernel=7, stride=2, bias=True)
        self.second = Convolution(32, 64, kernel=5, stride=2, bias=True)
        self.third = Convolution(64, 128, kernel=3, bias=True)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        hidden = self.second(self.first(Sequences(signals, lengths).masked()))
        return mean_over_time(self.third(max_pool(hidden, kernel=2, stride=2)))
