"""A residual network with squeeze and excitation, a bidirectional LSTM and attention over time.

2,987,128 weights with its head, 12 leads and 55 classes. Made for 500 Hz (5000 samples become 209 steps of
256 channels), and used at 100 Hz as well, where 1000 samples become 42.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.masked import Convolution, Sequences, attention_pool, max_pool, mean_over_time, recurrent


class Excitation(nn.Module):
    """Squeeze and excitation (Hu et al. 2018): scales channels by their means over time; biasless."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // 16, bias=False)
        self.excite = nn.Linear(channels // 16, channels, bias=False)

    def forward(self, inputs: Sequences) -> Sequences:
        """Same shape; zeros beyond a record's end stay zeros."""
        scale = torch.sigmoid(self.excite(F.relu(self.squeeze(mean_over_time(inputs)))))
        return Sequences(inputs.values * scale[..., None], inputs.lengths)


class Block(nn.Module):
    """Two convolutions of 7 samples, excitation, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, kernel=7, stride=stride)
        self.second = Convolution(outputs, outputs, kernel=7, relu=False)
        self.excitation = Excitation(outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else Convolution(inputs, outputs, kernel=1, stride=stride, relu=False)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, outputs, about time / stride)."""
        hidden = self.excitation(self.second(self.first(inputs)))
        shortcut = inputs if self.shortcut is None else self.shortcut(inputs)
        return Sequences(F.relu(hidden.values + shortcut.values), hidden.lengths)


class ResNetLSTM(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 256)."""

    features = 256

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.stem = Convolution(leads, 32, kernel=15, stride=3)
        self.blocks = nn.Sequential(
            Block(32, 64, stride=1),
            Block(64, 64, stride=1),
            Block(64, 128, stride=2),
            Block(128, 128, stride=1),
            Block(128, 256, stride=2),
            Block(256, 256, stride=1),
        )
        self.recurrent = nn.LSTM(256, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.score = nn.Linear(256, 1)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the attended mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        hidden = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        return attention_pool(self.score, recurrent(self.recurrent, self.blocks(hidden)))
