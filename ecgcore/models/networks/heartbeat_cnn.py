"""A convolutional network for single beats, whose layers, channels, kernel and width are hyperparameters.

After EnhancedCNN, which a published search on the beats of MIT-BIH arrived at. There dropout stands before the last
norm; here it is the head's, as of every network.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import Convolution, Sequences, max_pool, mean_over_time, normalise_features
from ecgcore.models.network import Network, Published
from ecgcore.parameters import choice, integer


class HeartbeatCNN(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, width)."""

    network = Network(
        input="any leads and length; made for beats of 1.5 s at 125 Hz, one lead",
        source="EnhancedCNN of a published search with Ray Tune on the heartbeats of MIT-BIH",
        published=Published(193_541, leads=1, classes=5),
        parameters={
            "channels": integer(256, low=16, high=512, help="channels of every convolution but the first"),
            "kernel": choice(7, (3, 5, 7, 9, 11), help="samples that each convolution but the first sees"),
            "layers": integer(2, low=2, high=4, help="convolutions; behind each of the first three the rate is halved"),
            "width": integer(512, low=32, high=1024, help="features of a record"),
        },
    )

    def __init__(self, leads: int, *, channels: int, kernel: int, layers: int, width: int) -> None:
        super().__init__()
        self.features = width
        self.first = Convolution(leads, 32, kernel=5, bias=True)
        self.second = Convolution(32, channels, kernel=kernel, bias=True)
        self.further = nn.ModuleList(
            Convolution(channels, channels, kernel=kernel, bias=True) for _number in range(layers - 2)
        )
        self.hidden = nn.Linear(channels, width)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return features of the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        values = max_pool(self.first(Sequences(signals, lengths).masked()), kernel=2, stride=2)
        values = max_pool(self.second(values), kernel=2, stride=2)
        for number, convolution in enumerate(self.further):
            values = convolution(values)
            values = max_pool(values, kernel=2, stride=2) if number == 0 else values
        hidden = F.relu(self.hidden(mean_over_time(values)))
        return normalise_features(self.norm, hidden)
