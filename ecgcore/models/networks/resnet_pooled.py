"""The convolutional part of resnet_lstm with a mean over time in place of LSTM and attention.

Made for 500 Hz; unlike its sibling it can be exported for any length.
"""

from torch import Tensor

from ecgcore.models.layers import mean_over_time
from ecgcore.models.network import Network, Published, stochastic_depth
from ecgcore.models.residual_part import ResidualPart


class ResNetPooled(ResidualPart):
    """Backbone: (batch, leads, samples) in mV to (batch, 256)."""

    network = Network(
        input="any leads and length; made for 10 s at 500 Hz",
        source="the sibling without LSTM of ArrhythmiaClassifier, for WFDB records with SNOMED codes",
        published=Published(2_196_343, leads=12, classes=55),
        parameters={"stochastic_depth": stochastic_depth()},
    )

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        return mean_over_time(self.convolved(signals, lengths))
