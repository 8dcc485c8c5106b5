"""A small convolutional network: 46,757 weights with its head, 12 leads and 5 classes.

Three convolutions and a global average, as in a published comparison of 1D and 2D networks on PTB-XL with
patient-grouped cross-validation. Made for 100 Hz; at other rates the same kernels see another stretch of
time.
"""

from torch import Tensor, nn

from ecgcore.models.layers import Convolution, Sequences, max_pool, mean_over_time


class CNN1d(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 128)."""

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
