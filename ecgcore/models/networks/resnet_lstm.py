"""A residual network with squeeze and excitation, a bidirectional LSTM and attention over time.

Made for 500 Hz (5000 samples become 209 steps of
256 channels), and used at 100 Hz as well, where 1000 samples become 42.
"""

from torch import Tensor, nn

from ecgcore.models.layers import attention_pool, recurrent
from ecgcore.models.network import Network, Published, stochastic_depth
from ecgcore.models.residual_part import ResidualPart


class ResNetLSTM(ResidualPart):
    """Backbone: (batch, leads, samples) in mV to (batch, 256)."""

    network = Network(
        input="any leads and length; made for 10 s at 500 Hz",
        source="ArrhythmiaClassifier, a published ResNet-LSTM for WFDB records with SNOMED codes",
        published=Published(2_987_128, leads=12, classes=55),
        parameters={"stochastic_depth": stochastic_depth()},
    )

    def __init__(self, leads: int, *, stochastic_depth: float = 0.0) -> None:
        super().__init__(leads, stochastic_depth=stochastic_depth)
        self.recurrent = nn.LSTM(256, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.score = nn.Linear(256, 1)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the attended mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        return attention_pool(self.score, recurrent(self.recurrent, self.convolved(signals, lengths)))
