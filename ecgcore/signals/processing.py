"""What is done to every recording on its way into a store: filters, resampling, normalisation, in this order.

Each recording is treated by itself: nothing is fitted on a part of the data, so nothing can leak from one to another.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.signals.arithmetic import band_pass, normalised, notch, resample, resampling_ratio

NORMALISATIONS = ("lead", "record")


@dataclass(frozen=True, kw_only=True)
class Processing:
    """How signals are changed. As it stands: not at all but for the sampling rate."""

    band_pass: tuple[float, float] | None = None  # Hz, low and high
    notch: float | None = None  # Hz, of the power line
    normalise: str | None = None  # lead: each lead has mean 0 and sd 1; record: one scale for all its leads
    half: bool = False  # stored in 16 bits

    def __post_init__(self) -> None:
        mistakes = []
        if self.band_pass is not None and not 0 < self.band_pass[0] < self.band_pass[1] < np.inf:
            low, high = self.band_pass
            mistakes.append(f"--band-pass must be LOW-HIGH in Hz, 0 < LOW < HIGH, but got {low:g}-{high:g}")
        if self.notch is not None and not 0 < self.notch < np.inf:
            mistakes.append(f"--notch must be above 0 Hz, but got {self.notch:g}")
        if self.normalise is not None and self.normalise not in NORMALISATIONS:
            mistakes.append(f"--normalise must be {' or '.join(NORMALISATIONS)}, but got {self.normalise!r}")
        if mistakes:
            raise Mistake("\n".join(mistakes))

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> Self:
        """Return what a store, or a model that learnt from it, states; without how the samples are stored."""
        changes = changes_of(stated)
        changes.pop("charts", None)  # are drawn from what is processed
        band = changes.pop("band_pass", None)
        return cls(band_pass=None if band is None else (band[0], band[1]), **changes)

    @property
    def units(self) -> str:
        """Return the unit of the processed signals: mV, or 1 where they are normalised."""
        return "1" if self.normalise else "mV"

    def described(self) -> dict[str, Any]:
        """Return what is done, without what is not: empty if nothing is."""
        return {name: value for name, value in asdict(self).items() if value}


UNCHANGED = Processing()


def filtered(signal: NDArray[np.float32], processing: Processing, *, rate: float, to: float) -> NDArray[np.float32]:
    """Filter a whole recording (leads, samples) in mV at `rate` Hz and resample it.

    Filters run at the rate of the recording, where a power line is still where it was. Raises ValueError if a filter's
    frequency is above half that rate, the recording is too short for it, or it cannot be resampled.
    """
    resampling_ratio(rate=rate, to=to)  # what cannot be resampled is better refused as that than by a filter
    if processing.notch is not None:
        signal = notch(signal, rate=rate, frequency=processing.notch)
    if processing.band_pass is not None:
        low, high = processing.band_pass
        signal = band_pass(signal, rate=rate, low=low, high=high)
    return resample(signal, rate=rate, to=to)


def scaled(signal: NDArray[np.float32], processing: Processing) -> NDArray[np.float32]:
    """Normalise a record, if that is asked for."""
    return normalised(signal, together=processing.normalise == "record") if processing.normalise else signal


def stored(signal: NDArray[np.float32], processing: Processing) -> tuple[NDArray[np.floating], float]:
    """Bring a scaled record to the precision it is stored in; return it and its largest rounding error.

    The error is in the unit of the record (mV, or 1 where normalised). Raises ValueError beyond the range of 16 bits.
    """
    if not processing.half:
        return signal.astype("<f4"), 0.0
    if np.abs(signal).max() > np.finfo(np.float16).max:
        raise Mistake(f"{np.abs(signal).max():g} mV cannot be stored with --half; leave that out")
    rounded = signal.astype("<f2")
    return rounded, float(np.abs(signal - rounded.astype(np.float32)).max())


def changes_of(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a store's stated processing a model must be given alike: all but how the samples are stored.

    `charts` is stated of those alone that take charts, see data/inputs.py.
    """
    alike = ("band_pass", "notch", "normalise", "charts")
    return {name: stated[name] for name in alike if stated.get(name) is not None}
