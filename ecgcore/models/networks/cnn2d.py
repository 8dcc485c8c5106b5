"""A tiny two-dimensional network that looks at a record as at a picture: leads below each other, time to the right.

Each lead is resampled to 256 points over the record's own length and repeated on five rows; 12 leads fill 60 of the
64 rows, and the last four stay empty. Of other numbers of leads each fills as many rows as there are for it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.mistakes import Mistake
from ecgcore.models.network import Network, Published

ROWS, COLUMNS = 64, 256


class CNN2d(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, 16)."""

    network = Network(
        input="1 to 64 leads, any length, drawn to 256 points; made for 10 s",
        source="CNN2D of a published comparison with CNN1D on PTB-XL, patients kept together",
        published=Published(6_613, leads=12, classes=5),
    )
    features = 16

    def __init__(self, leads: int) -> None:
        super().__init__()
        if not 1 <= leads <= ROWS:
            raise Mistake(f"cnn2d: must have 1 to {ROWS} leads, got {leads}")
        widths = ((1, 8), (8, 16), (16, 32))
        self.convolutions = nn.ModuleList(nn.Conv2d(one, other, 3, padding=1) for one, other in widths)
        self.norms = nn.ModuleList(nn.BatchNorm2d(other) for _one, other in widths)
        self.hidden = nn.Linear(32, self.features)

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the features of each record's picture; lengths (batch,) in samples, on the CPU."""
        values = picture(signals, lengths)
        for number, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            values = F.relu(norm(convolution(values)))
            if number < 2:
                values = F.max_pool2d(values, 2)
        return F.relu(self.hidden(values.mean((2, 3))))


def picture(signals: Tensor, lengths: Tensor) -> Tensor:
    """Draw records to (batch, 1, 64, 256): point i of a lead lies at share i / 255 of the record's own time."""
    shares = torch.arange(COLUMNS, dtype=signals.dtype, device=signals.device) / (COLUMNS - 1)
    places = (lengths.to(shares) - 1)[:, None] * shares  # (batch, 256), in samples
    before = places.floor().long()
    after = torch.minimum(before + 1, (lengths.to(before) - 1)[:, None])
    part = (places - before)[:, None]

    def at(samples: Tensor) -> Tensor:
        return signals.gather(2, samples[:, None].expand(-1, signals.shape[1], -1))

    points = at(before) * (1 - part) + at(after) * part
    rows = points.repeat_interleave(ROWS // signals.shape[1], dim=1)
    return F.pad(rows, (0, 0, 0, ROWS - rows.shape[1]))[:, None]
