"""Changes to training signals that leave the label true. Each is off at zero."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.parameters import Hyperparameters


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to a training batch, and how strongly."""

    noise: float = 0.0  # mV
    lead_dropout: float = 0.0  # probability
    amplitude_scale: float = 0.0  # relative
    shift: int = 0  # samples by which the window is shorter than the record

    @classmethod
    def read(cls, settings: Hyperparameters, *, rate: float, shortest: int) -> Self:
        """Take a configuration's augmentation, for records at `rate` Hz, the shortest of `shortest` samples.


        Raises ValueError if the window would lose half of a record or more.
        """
        shift = round(settings.time_shift * rate)
        if 2 * shift >= shortest > 0 and shift:
            raise ValueError(
                f"time_shift: must be below half of the shortest record ({shortest / rate:g} s), "
                f"got {settings.time_shift:g} s"
            )
        return cls(
            noise=settings.noise,
            lead_dropout=settings.lead_dropout,
            amplitude_scale=settings.amplitude_scale,
            shift=shift,
        )

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        return max(self.noise, self.lead_dropout, self.amplitude_scale, self.shift) > 0

    def starts(self, count: int) -> NDArray[np.int64]:
        """Draw where the windows of `count` records begin, in samples."""
        if not self.shift:
            return np.zeros(count, np.int64)
        return torch.randint(self.shift + 1, (count,)).numpy()

    def __call__(self, signals: Tensor) -> Tensor:
        """Change (batch, leads, samples) in mV, behind a record's end too: models ignore what is there."""
        count, leads, _ = signals.shape
        if self.amplitude_scale:
            signals = signals * (1 + self.amplitude_scale * (2 * torch.rand(count, 1, 1) - 1))
        if self.noise:
            chosen = torch.rand(count, 1, 1) < 0.5
            signals = signals + torch.randn_like(signals) * (self.noise * chosen)
        if self.lead_dropout:
            chosen = torch.rand(count, 1) < self.lead_dropout
            lost = torch.nn.functional.one_hot(torch.randint(leads, (count,)), leads).bool() & chosen
            signals = signals.masked_fill(lost[..., None], 0.0)
        return signals
