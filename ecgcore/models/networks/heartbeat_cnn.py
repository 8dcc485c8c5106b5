"""A convolutional network for single beats, whose channels, kernel and width are hyperparameters.

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
            "channels": integer(256, low=16, high=512, help="channels of the second convolution"),
            "kernel": choice(7, (3, 5, 7, 9, 11), help="samples that the second convolution sees, at half the rate"),
            "width": integer(512, low=32, high=1024, help="features of a record"),
        },
    )

    def __init__(self, leads: int, *, channels: int, kernel: int, width: int) -> None:
        super().__init__()
        self.features = width
        self.first = Convolution(leads, 32, kernel=5, bias=True)
        self.second = Convolution(32, channels, kernel=kernel, bias=True)
        self.hidden = nn.Linear(channels, width)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return features of the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        first = max_pool(self.first(Sequences(signals, lengths).masked()), kernel=2, stride=2)
        hidden = F.relu(self.hidden(mean_over_time(max_pool(self.second(first), kernel=2, stride=2))))
        return normalise_features(self.norm, hidden)
