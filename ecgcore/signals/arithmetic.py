"""Arithmetic on signals and lead names: units, order, filters, rate, scale. Numbers in and out; no file.

SciPy is imported where a signal is changed: whoever only checks what was asked for need not wait a second for it.
"""

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake

STANDARD_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# Both code points of the micro sign occur; a header read as ASCII loses it, which would turn microvolts into volts.
MILLIVOLTS_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "v": 1e3}

_CANONICAL = {lead.lower(): lead for lead in STANDARD_LEADS}


def canonical_lead(name: str) -> str:
    """Return the usual spelling of a standard lead (`AVR`, `avr` -> `aVR`); any other name comes back as it is."""
    stripped = name.strip()
    return _CANONICAL.get(stripped.lower(), stripped)


def lead_order(
    present: Sequence[str], wanted: Sequence[str], *, way_out: str = "choose others with --leads"
) -> list[int]:
    """Return the row of each wanted lead. Raises ValueError naming the missing or doubled leads and those present."""
    names = [canonical_lead(name).lower() for name in present]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise Mistake(f"lead names must differ, got {', '.join(doubled)} more than once")
    missing = [lead for lead in wanted if lead.lower() not in names]
    if missing:
        raise Mistake(
            f"every lead asked for must be there; missing: {', '.join(missing)}; "
            f"the record has {', '.join(map(canonical_lead, present))} ({way_out})"
        )
    return [names.index(lead.lower()) for lead in wanted]


def in_millivolts(signal: NDArray[Any], units: Sequence[str]) -> NDArray[np.float32]:
    """Convert a (leads, samples) signal, each lead in its own unit, to mV.

    Raises ValueError for a unit other than mV, uV or V (in any case).
    """
    unknown = sorted({unit for unit in units if unit.lower() not in MILLIVOLTS_PER_UNIT})
    if unknown:
        raise Mistake(f"the unit must be mV, uV or V, but got {', '.join(map(repr, unknown))}")
    factors = np.array([MILLIVOLTS_PER_UNIT[unit.lower()] for unit in units])
    return np.ascontiguousarray(signal * factors[:, None], dtype=np.float32)


def resample(signal: NDArray[np.float32], *, rate: float, to: float) -> NDArray[np.float32]:
    """Band-limited resampling along time (polyphase FIR, scipy.signal.resample_poly).

    signal: (leads, samples) in mV at `rate` Hz. Returns (leads, round(samples * to / rate)) in mV;
    a flat lead stays flat.
    Raises ValueError as `resampling_ratio` does.
    """
    ratio = resampling_ratio(rate=rate, to=to)
    if rate == to:
        return signal
    from scipy.signal import resample_poly

    # The line through both ends is taken off first: an offset would otherwise ring at the ends of the record.
    resampled = resample_poly(signal.astype(np.float64), ratio.numerator, ratio.denominator, axis=1, padtype="line")
    flat = flat_leads(signal)
    resampled[flat] = signal[flat, :1]  # exactly: rounding would make noise of it that normalising blows up
    samples = max(1, round(signal.shape[1] * to / rate))
    return np.ascontiguousarray(resampled[:, :samples], dtype=np.float32)


def resampling_ratio(*, rate: float, to: float) -> Fraction:
    """Return `to` / `rate`. Raises ValueError if one is not positive, or they are more than 1000 times apart."""
    if not (0 < rate < np.inf and 0 < to < np.inf):
        raise Mistake(f"rates must be positive, but got {rate=} and {to=}")
    ratio = Fraction(to / rate).limit_denominator(1000)
    if ratio > 1000 or abs(float(ratio) * rate / to - 1) > 1e-3:  # the nearest would stretch time
        raise Mistake(f"{rate:g} Hz cannot be resampled to {to:g} Hz: at most 1000 times as many, or as few")
    return ratio


def band_pass(signal: NDArray[np.float32], *, rate: float, low: float, high: float) -> NDArray[np.float32]:
    """Keep `low` to `high` Hz of each lead: Butterworth of order 3, forwards and backwards, so without delay.

    Raises ValueError if `high` is not below half the rate, or the signal is too short.
    """
    if not 0 < low < high < rate / 2:
        raise Mistake(f"a band must lie between 0 and half the rate, {rate / 2:g} Hz, but got {low:g}-{high:g} Hz")
    from scipy.signal import butter

    return _filtered(signal, butter(3, [low, high], btype="bandpass", fs=rate, output="sos"))


def notch(signal: NDArray[np.float32], *, rate: float, frequency: float) -> NDArray[np.float32]:
    """Take `frequency` Hz out of each lead, 1/30 of it wide, forwards and backwards, so without delay.

    Raises ValueError if it is not below half the rate, or the signal is too short.
    """
    if not 0 < frequency < rate / 2:
        raise Mistake(f"a notch must lie between 0 and half the rate, {rate / 2:g} Hz, but got {frequency:g} Hz")
    from scipy.signal import iirnotch, tf2sos

    return _filtered(signal, tf2sos(*iirnotch(frequency, Q=30, fs=rate)))


def _filtered(signal: NDArray[np.float32], sections: NDArray[np.float64]) -> NDArray[np.float32]:
    from scipy.signal import sosfiltfilt

    flat = flat_leads(signal)
    try:
        result = sosfiltfilt(sections, signal.astype(np.float64), axis=1)
    except ValueError as error:
        raise Mistake(f"{signal.shape[1]} samples are too short for the filter ({error})") from error
    result[flat] = 0  # a missing lead stays missing; rounding would make noise of it that normalising blows up
    return np.ascontiguousarray(result, dtype=np.float32)


def normalised(signal: NDArray[np.float32], *, together: bool) -> NDArray[np.float32]:
    """Give each lead mean 0 and standard deviation 1; `together`: one scale for all, so that leads stay comparable.

    A flat lead becomes 0, and counts for no scale.
    """
    centred = signal.astype(np.float64) - signal.mean(axis=1, keepdims=True, dtype=np.float64)
    flat = flat_leads(signal)
    centred[flat] = 0
    scale = centred.std(axis=1, keepdims=True)
    if together:
        alive = np.setdiff1d(np.arange(len(signal)), flat)
        scale = np.full_like(scale, np.sqrt(np.mean(np.square(scale[alive]))) if len(alive) else 0)
    return np.ascontiguousarray(centred / np.where(scale > 0, scale, 1), dtype=np.float32)


def flat_leads(signal: NDArray[np.float32]) -> list[int]:
    """Return the rows of a (leads, samples) signal that never change: how several databases store a missing lead."""
    return [int(row) for row in np.flatnonzero(np.ptp(signal, axis=1) == 0)]


def clipped_leads(signal: NDArray[np.float32], *, rate: float) -> list[int]:
    """Return the rows that look cut off: three times or more, a peak stays at the lead's extreme value for 10 ms.

    A heart does that once at most, by chance; an amplifier at its limit does it at every beat.
    """
    shortest = max(3, round(0.01 * rate))
    flat = flat_leads(signal)
    return [
        row
        for row, lead in enumerate(signal)
        if row not in flat and max(_holds(lead == lead.max(), shortest), _holds(lead == lead.min(), shortest)) >= 3
    ]


def _holds(there: NDArray[np.bool_], shortest: int) -> int:
    """Return how many runs of True are `shortest` or longer."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2] >= shortest).sum())


def fingerprint(signal: NDArray[np.float32]) -> int:
    """Return the identity of a signal by its content: the first 8 bytes of the sha256 of its values, as an integer."""
    stored = np.ascontiguousarray(signal, dtype="<f4").tobytes()
    return int.from_bytes(hashlib.sha256(stored).digest()[:8], "big", signed=True)


def lead_fingerprints(signal: NDArray[np.float32]) -> list[int]:
    """Return the identity of every lead that is not flat.

    Copies are recognised by one equal lead: PTB-XL 145 and 463 are one recording, and differ in two leads of twelve.
    """
    flat = flat_leads(signal)
    return [fingerprint(lead) for row, lead in enumerate(signal) if row not in flat]
