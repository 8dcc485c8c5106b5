"""A record drawn on ECG paper as SVG: 25 mm/s, 10 mm/mV, a grid of 1 and 5 mm. Signals in, text out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from ecgcore.signals.arithmetic import STANDARD_LEADS, flat_leads, resample

SPEED, GAIN = 25.0, 10.0  # mm/s; mm/mV, or per standard deviation where normalised
SECONDS = 10.0  # drawn of each record
ROW, MARGIN = 25.0, 12.5  # mm, of a row and left of it, where the calibration pulse is
FINEST = 200.0  # Hz: 8 points a mm are more than a screen shows
# As printers lay out twelve leads: four columns of 2.5 s, and lead II below for the rhythm.
TWELVE = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",))
MOST_ROWS = 6

Cell = tuple[int, int, float, float]  # lead, row, begin and end in s


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A record to be drawn."""

    name: str
    labels: tuple[str, ...]
    signal: NDArray[np.float32]  # (leads, samples)
    rate: float  # Hz
    leads: tuple[str, ...]
    unit: str  # mV, or 1 where normalised


def strip(example: Example) -> str:
    """Return an SVG element with the first seconds of a record, each lead around its own median."""
    signal, rate = example.signal[:, : round(SECONDS * example.rate)], example.rate
    flat = flat_leads(signal)
    if rate > FINEST:
        signal, rate = resample(signal, rate=rate, to=FINEST), FINEST
    heights = GAIN * (signal - np.median(signal, axis=1, keepdims=True))
    drawn = list(cells(example.leads))
    rows = 1 + max(row for _, row, _, _ in drawn)
    width, height = 2 * MARGIN + SPEED * SECONDS, ROW * (rows + 1)
    traces = [
        _cell(heights[cell[0]], cell, name=example.leads[cell[0]], flat=cell[0] in flat, rate=rate) for cell in drawn
    ]
    label = escape(f"{example.name}: {', '.join(example.labels) or 'label unknown'}")
    return "\n".join(
        [
            f'<svg class="paper" role="img" aria-label="ECG of {label}" viewBox="0 0 {width:g} {height:g}">',
            f"<title>{label}</title>",
            f'<rect width="{width:g}" height="{height:g}" fill="url(#millimetres)"/>',
            *(_pulse(row) for row in range(rows)),
            *traces,
            "</svg>",
        ]
    )


def grid() -> str:
    """Return the pattern that every strip of a page refers to, as an SVG element that takes no room."""
    return (
        '<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>'
        '<pattern id="millimetre" width="1" height="1" patternUnits="userSpaceOnUse">'
        '<path d="M1 0H0V1" fill="none" stroke="#f5c6c6" stroke-width="0.1"/></pattern>'
        '<pattern id="millimetres" width="5" height="5" patternUnits="userSpaceOnUse">'
        '<rect width="5" height="5" fill="#fff8f6"/><rect width="5" height="5" fill="url(#millimetre)"/>'
        '<path d="M5 0H0V5" fill="none" stroke="#e89a9a" stroke-width="0.2"/></pattern></defs></svg>'
    )


def cells(leads: tuple[str, ...]) -> Iterator[Cell]:
    """Say which lead is drawn where, and when."""
    if set(STANDARD_LEADS) <= set(leads):
        yield from cells_of(TWELVE, leads)
        return
    for row in range(min(len(leads), MOST_ROWS)):
        yield row, row, 0.0, SECONDS


def cells_of(rows: Sequence[Sequence[str]], leads: Sequence[str]) -> Iterator[Cell]:
    """Divide each row's time among the leads that it names."""
    for row, names in enumerate(rows):
        length = SECONDS / len(names)
        for column, name in enumerate(names):
            yield leads.index(name), row, column * length, (column + 1) * length


def _cell(heights: NDArray[np.float32], cell: Cell, *, name: str, flat: bool, rate: float) -> str:
    _, row, begin, end = cell
    first, last = round(begin * rate), min(round(end * rate) + 1, len(heights))
    middle, left = ROW * (row + 1), MARGIN + SPEED * begin
    points = " ".join(
        f"{MARGIN + SPEED * sample / rate:.2f},{middle - heights[sample]:.2f}" for sample in range(first, last)
    )
    said = escape(name + (" (flat)" if flat else ""))
    return (
        f'<polyline points="{points}" fill="none" stroke="#111" stroke-width="0.3" stroke-linejoin="round"/>'
        f'<text x="{left + 1:g}" y="{middle - ROW / 2 + 1:g}" font-size="4" paint-order="stroke" stroke="#fff8f6" '
        f'stroke-width="1">{said}</text>'
    )


def _pulse(row: int) -> str:
    """Draw the calibration pulse, 1 mV high and 0.2 s wide."""
    middle = ROW * (row + 1)
    return f'<path d="M2.5 {middle:g}h2.5v{-GAIN:g}h5v{GAIN:g}h2.5" fill="none" stroke="#111" stroke-width="0.3"/>'
