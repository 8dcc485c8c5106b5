"""The convolutional part of resnet_lstm with a mean over time in place of LSTM and attention.

Made for 500 Hz; unlike its sibling it can be exported for any length.
"""

from torch import Tensor, nn

from ecgcore.models.layers import Block, Convolution, Sequences, max_pool, mean_over_time
from ecgcore.models.network import Network, Published


class ResNetPooled(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 256)."""

    network = Network(
        input="any leads and length; made for 10 s at 500 Hz",
        source="the sibling without LSTM of ArrhythmiaClassifier, for WFDB records with SNOMED codes",
        published=Published(2_196_343, leads=12, classes=55),
    )
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

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        hidden = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        return mean_over_time(self.blocks(hidden))
