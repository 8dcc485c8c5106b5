"""A residual network for single beats: four blocks of one width each, and a mean over time.

The source states its size, which these blocks meet; where it does not say, they are the plainest that do.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import Convolution, Sequences, mean_over_time
from ecgcore.models.network import Network, Published

WIDTHS = (32, 32, 64, 128, 256)


class BeatResNet(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, 256)."""

    network = Network(
        input="any leads and length; made for beats of 1.5 s at 125 Hz, one lead",
        source="ResNetECG of a published search with Ray Tune on the heartbeats of MIT-BIH",
        published=Published(441_157, leads=1, classes=5),
    )
    features = WIDTHS[-1]

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.stem = Convolution(leads, WIDTHS[0], kernel=7, bias=True)
        self.blocks = nn.Sequential(
            *(_Residual(inputs, outputs, stride=1 if inputs == outputs else 2) for inputs, outputs in pairwise(WIDTHS))
        )

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        return mean_over_time(self.blocks(self.stem(Sequences(signals, lengths).masked())))


class _Residual(nn.Module):
    """Two convolutions of three samples, and a shortcut that a convolution of one fits where it must."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, kernel=3, stride=stride, bias=True)
        self.second = Convolution(outputs, outputs, kernel=3, bias=True, relu=False)
        self.shortcut = None if inputs == outputs else nn.Conv1d(inputs, outputs, 1, stride)

    def forward(self, inputs: Sequences) -> Sequences:
        hidden = self.second(self.first(inputs))
        shortcut = inputs.values if self.shortcut is None else self.shortcut(inputs.values)
        return Sequences(F.relu(hidden.values + shortcut), hidden.lengths).masked()
