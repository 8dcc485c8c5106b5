"""A depthwise-separable network for one lead on a microcontroller: seven halvings of the rate and no residual.

The convolutions are two-dimensional ones over (1, time): converters to TFLite take these as they are, and turn others
into dozens of reshapes. The source counts the statistics of its norms, too: 32,192 in all, of which 30,912 are learnt.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import Sequences, mean_over_time, normalise, output_lengths
from ecgcore.models.network import Network, Published

WIDTHS = (24, 24, 32, 48, 64, 80, 96)


class RhythmMCU(nn.Module):
    """Backbone: (batch, leads, samples), normalised record by record, to (batch, 96)."""

    network = Network(
        input="any leads and length; made for one lead, 8 s at 100 Hz",
        source="the rhythm network of HeartKit (EfficientNetV2 style), for microcontrollers",
        published=Published(30_912, leads=1, classes=4),
    )
    features = WIDTHS[-1]

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.stem = TimeConvolution(leads, WIDTHS[0], kernel=9, stride=2)
        self.stem_norm = nn.BatchNorm1d(WIDTHS[0])
        self.blocks = nn.Sequential(*(Separable(inputs, outputs) for inputs, outputs in pairwise(WIDTHS)))

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        stem = normalise(self.stem_norm, self.stem(Sequences(signals, lengths).masked()))
        return mean_over_time(self.blocks(Sequences(F.relu6(stem.values), stem.lengths)))


class TimeConvolution(nn.Module):
    """Convolution over time, without bias, written over (1, time)."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        size, padding = (1, kernel), (0, kernel // 2)
        self.convolution = nn.Conv2d(inputs, outputs, size, (1, stride), padding, groups=groups, bias=False)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, outputs, about time / stride)."""
        lengths = output_lengths(inputs.lengths, kernel=self.kernel, stride=self.stride, padding=self.kernel // 2)
        return Sequences(self.convolution(inputs.values[:, :, None])[:, :, 0], lengths)


class Separable(nn.Module):
    """Depthwise convolution of 9 samples, the maximum of each two, excitation, and a mixture of channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = TimeConvolution(inputs, inputs, kernel=9, groups=inputs)
        self.depthwise_norm = nn.BatchNorm1d(inputs)
        self.squeeze = nn.Linear(inputs, inputs // 4)
        self.excite = nn.Linear(inputs // 4, inputs)
        self.pointwise = TimeConvolution(inputs, outputs, kernel=1)
        self.pointwise_norm = nn.BatchNorm1d(outputs)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, outputs, time / 2, rounded up)."""
        hidden = normalise(self.depthwise_norm, self.depthwise(inputs))
        # What the record ends with counts alone where its length is odd: the zeros behind it are never the larger.
        halved = F.max_pool1d(F.relu6(hidden.values), 2, ceil_mode=True)
        pooled = Sequences(halved, (hidden.lengths + 1) // 2).masked()
        scale = F.hardsigmoid(self.excite(F.relu6(self.squeeze(mean_over_time(pooled)))))
        return normalise(
            self.pointwise_norm, self.pointwise(Sequences(pooled.values * scale[..., None], pooled.lengths))
        )
