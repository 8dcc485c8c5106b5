"""Changes to training signals that leave the label true, or change it as they change the signal. Each is off at zero.

Every draw comes from torch's global generator, whose state is in the checkpoint: a fit that goes on draws what it
would have drawn.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ecgcore.mistakes import Mistake
from ecgcore.training.hyperparameters import Hyperparameters

WANDER = (0.05, 0.5)  # Hz: breathing and moving electrodes
WAVES = 3  # of a record's baseline wander
KNOTS = 6  # of a drifting amplitude


class Stretch(NamedTuple):
    """Which stretch of each record is used, in samples."""

    starts: NDArray[np.int64]  # (records,)
    lengths: NDArray[np.int64]  # (records,)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to a training batch, and how strongly."""

    rate: float = 1.0  # Hz of the signals
    noise: float = 0.0  # mV
    baseline_wander: float = 0.0  # mV
    power_line: float = 0.0  # mV
    power_line_frequency: float = 50.0  # Hz
    lead_dropout: float = 0.0  # probability
    amplitude_scale: float = 0.0  # relative
    amplitude_warp: float = 0.0  # relative
    shift: int = 0  # samples by which the window is shorter than the record
    window: int = 0  # samples that a record has at most; 0: as many as it likes
    mask: int = 0  # samples of the longest stretch that is silenced
    mixup: float = 0.0  # alpha

    @classmethod
    def read(cls, settings: Hyperparameters, *, rate: float, shortest: int, leads: int) -> Self:
        """Take a configuration's augmentation, for records of `leads` at `rate` Hz, the shortest of `shortest` samples.

        Raises ValueError with everything that these records cannot bear.
        """
        shift, mask, window = (round(seconds * rate) for seconds in _seconds(settings))
        seconds = f"half of the shortest record ({shortest / rate:g} s)"
        mistakes = []
        if 2 * shift >= shortest > 0 and shift:
            mistakes.append(f"time_shift: must be below {seconds}, got {settings.time_shift:g} s")
        used = min(shortest - shift, window) if window else shortest - shift
        if 2 * mask >= used > 0 and mask:
            mistakes.append(
                f"time_mask: must be below half of what is used of the shortest record ({used / rate:g} s), "
                f"got {settings.time_mask:g} s"
            )
        if settings.window and window < rate:
            mistakes.append(f"window: must be 0 (never) or at least 1 s, got {settings.window:g} s")
        if settings.power_line and rate <= 2 * settings.power_line_frequency:
            mistakes.append(
                f"power_line: a store at {rate:g} Hz cannot hold {settings.power_line_frequency} Hz; set it to 0, "
                f"or prepare the store above {2 * settings.power_line_frequency} Hz"
            )
        if settings.lead_dropout and leads == 1:
            mistakes.append("lead_dropout: the records have one lead, and nothing would be left of it; set it to 0")
        if mistakes:
            raise Mistake("\n".join(mistakes))
        return cls(
            rate=rate,
            noise=settings.noise,
            baseline_wander=settings.baseline_wander,
            power_line=settings.power_line,
            power_line_frequency=settings.power_line_frequency,
            lead_dropout=settings.lead_dropout,
            amplitude_scale=settings.amplitude_scale,
            amplitude_warp=settings.amplitude_warp,
            shift=shift,
            window=window,
            mask=mask,
            mixup=settings.mixup,
        )

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        strengths = (self.noise, self.baseline_wander, self.power_line, self.lead_dropout, self.amplitude_scale)
        return max(*strengths, self.amplitude_warp, self.shift, self.window, self.mask, self.mixup) > 0

    def cut(self, lengths: NDArray[np.int64]) -> Stretch:
        """Draw the stretches that are used of records of these lengths, in samples."""
        if not (self.shift or self.window):
            return Stretch(np.zeros(len(lengths), np.int64), lengths)
        kept = lengths - self.shift
        if self.window:
            kept = np.minimum(kept, self.window)
        draws = torch.rand(len(lengths), dtype=torch.float64).numpy()
        return Stretch(np.floor(draws * (lengths - kept + 1)).astype(np.int64), kept)

    def __call__(self, signals: Tensor) -> Tensor:
        """Change (batch, leads, samples) in mV, behind a record's end too: models ignore what is there."""
        count, leads, samples = signals.shape
        if self.amplitude_scale:
            signals = signals * (1 + self.amplitude_scale * (2 * torch.rand(count, 1, 1) - 1))
        if self.amplitude_warp:
            drift = F.interpolate(2 * torch.rand(count, 1, KNOTS) - 1, samples, mode="linear", align_corners=True)
            signals = signals * (1 + self.amplitude_warp * drift)
        if self.baseline_wander:
            signals = signals + self.baseline_wander * _half(count) * _wander(count, leads, samples, rate=self.rate)
        if self.power_line:
            phase = 2 * math.pi * (_time(samples, self.rate) * self.power_line_frequency + torch.rand(count, leads, 1))
            signals = signals + self.power_line * _half(count) * torch.rand(count, 1, 1) * phase.sin()
        if self.noise:
            chosen = _half(count)
            signals = signals + torch.randn_like(signals) * (self.noise * chosen)
        if self.mask:
            long = torch.floor(torch.rand(count, 1, 1) * (self.mask + 1))
            start = torch.floor(torch.rand(count, 1, 1) * (samples - long + 1))
            time = torch.arange(samples)
            signals = signals.masked_fill((time >= start) & (time < start + long), 0.0)
        if self.lead_dropout:
            chosen = torch.rand(count, 1) < self.lead_dropout
            lost = F.one_hot(torch.randint(leads, (count,)), leads).bool() & chosen
            signals = signals.masked_fill(lost[..., None], 0.0)
        return signals

    def mix(self, signals: Tensor, lengths: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mix each record with another of the batch, and their labels alike (Zhang et al. 2018).

        The two are mixed where both last: of unequal records the mixture is as long as the shorter.
        """
        if not self.mixup:
            return signals, lengths, labels
        share = torch.distributions.Beta(self.mixup, self.mixup).sample((len(signals),))
        other = torch.randperm(len(signals))
        mixed = share[:, None, None] * signals + (1 - share)[:, None, None] * signals[other]
        share = share[:, None].to(labels)
        return mixed, torch.minimum(lengths, lengths[other]), share * labels + (1 - share) * labels[other]


def _seconds(settings: Hyperparameters) -> tuple[float, float, float]:
    return settings.time_shift, settings.time_mask, settings.window


def _half(count: int) -> Tensor:
    """Draw which half of the records, about, something happens to: (count, 1, 1)."""
    return torch.rand(count, 1, 1) < 0.5


def _time(samples: int, rate: float) -> Tensor:
    return torch.arange(samples) / rate


def _wander(count: int, leads: int, samples: int, *, rate: float) -> Tensor:
    """Sum of slow waves with an amplitude of at most 1: (count, leads, samples)."""
    low, high = WANDER
    frequency = low + (high - low) * torch.rand(count, WAVES, 1, 1)
    turn = 2 * math.pi * (frequency * _time(samples, rate) + torch.rand(count, WAVES, 1, 1))
    return (torch.rand(count, WAVES, leads, 1) * turn.sin()).mean(dim=1)
