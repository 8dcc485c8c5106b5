"""Two convolutions and a hidden layer over every place of a beat: its first 187 samples, zeros where it is shorter."""

from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import Sequences
from ecgcore.models.network import Network, Published

SAMPLES = 187
PLACES = 43  # that are left of them


class BeatCNN(nn.Module):
    """Backbone: (batch, leads, samples) to (batch, 128)."""

    network = Network(
        input="any leads; beats of 187 samples (1.5 s at 125 Hz), of longer records the first 187",
        source="BaseCNN of a published search with Ray Tune on the heartbeats of MIT-BIH",
        published=Published(363_525, leads=1, classes=5),
    )
    features = 128

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(leads, 32, 5)
        self.second = nn.Conv1d(32, 64, 5)
        self.hidden = nn.Linear(64 * PLACES, self.features)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the features of each beat; lengths (batch,) in samples, on the CPU."""
        values = Sequences(signals, lengths).masked().values[..., :SAMPLES]
        values = F.pad(values, (0, SAMPLES - values.shape[-1]))
        values = F.max_pool1d(F.relu(self.first(values)), 2)
        values = F.max_pool1d(F.relu(self.second(values)), 2)
        return F.relu(self.hidden(values.flatten(1)))
