"""A residual network with squeeze and excitation, a bidirectional LSTM and attention over time.

Made for 500 Hz (5000 samples become 209 steps of
256 channels), and used at 100 Hz as well, where 1000 samples become 42.
"""

from torch import Tensor, nn

from ecgcore.models.layers import Block, Convolution, Sequences, attention_pool, max_pool, recurrent
from ecgcore.models.network import Network, Published


class ResNetLSTM(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 256)."""

    network = Network(
        input="any leads and length; made for 10 s at 500 Hz",
        source="ArrhythmiaClassifier, a published ResNet-LSTM for WFDB records with SNOMED codes",
        published=Published(2_987_128, leads=12, classes=55),
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
        self.recurrent = nn.LSTM(256, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.score = nn.Linear(256, 1)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the attended mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        hidden = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        return attention_pool(self.score, recurrent(self.recurrent, self.blocks(hidden)))
