"""The convolutional part of resnet_lstm with a mean over time in place of LSTM and attention.

Made for 500 Hz; unlike its sibling it can be exported for any length.
"""

from torch import Tensor, nn

from ecgcore.models.layers import Block, Convolution, Sequences, max_pool, mean_over_time, shares_left_out
from ecgcore.models.network import Network, Published, stochastic_depth

# inputs, outputs and stride of each block
BLOCKS = ((32, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1))


class ResNetPooled(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 256)."""

    network = Network(
        input="any leads and length; made for 10 s at 500 Hz",
        source="the sibling without LSTM of ArrhythmiaClassifier, for WFDB records with SNOMED codes",
        published=Published(2_196_343, leads=12, classes=55),
        parameters={"stochastic_depth": stochastic_depth()},
    )
    features = 256

    def __init__(self, leads: int, *, stochastic_depth: float = 0.0) -> None:
        super().__init__()
        self.stem = Convolution(leads, 32, kernel=15, stride=3)
        shares = shares_left_out(stochastic_depth, blocks=len(BLOCKS))
        self.blocks = nn.Sequential(
            *(
                Block(inputs, outputs, stride=stride, left_out=share)
                for (inputs, outputs, stride), share in zip(BLOCKS, shares, strict=True)
            )
        )

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        hidden = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        return mean_over_time(self.blocks(hidden))
