"""Twelve leads drawn on red ECG paper, as pixels for networks that look at pictures. Signals in, pixels out.

A chart is 10 s wide in every layout, and each of its columns shows the same seconds of all its leads. Needs aggdraw
and Pillow, which are imported where something is drawn: to check what is asked for takes neither.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.ecg_paper import SECONDS, TWELVE, cells_of
from ecgcore.mistakes import Mistake
from ecgcore.signals.arithmetic import STANDARD_LEADS, flat_leads, lead_order

if TYPE_CHECKING:
    from PIL.Image import Image

LAYOUTS = ("4x3", "2x6")
PIXELS, FEWEST_PIXELS, MOST_PIXELS = 224, 64, 1024  # of a side: what most networks take, and from where to where
CLOSEST = 3.0  # pixels between lines of a grid; one that would be denser is left out: it would be a grey veil
PAPER, FINE, COARSE = (255, 248, 246), (250, 218, 216), (236, 160, 158)
FAINT = (245, 196, 194)  # the coarse grid where it stands alone, and is denser on the screen than traces are
GRIDS = ((0.04, 0.1), (0.2, 0.5))  # s, mV
BORDER, INK = (110, 110, 110), (20, 20, 20)
TRACE = (0, 0, 178)
LEAST_WIDTH, TRACES = 0.8, 450  # pixels, of a trace, and how many traces side by side are as wide as a larger chart


class _Layout(NamedTuple):
    rows: tuple[tuple[str, ...], ...]  # of leads, each of a row for an equal share of the time
    millivolts: int  # height of a row; even or not, baselines lie on lines of the grid


_LAYOUTS = {
    "4x3": _Layout(TWELVE, 4),
    "2x6": _Layout(tuple(zip(STANDARD_LEADS[:6], STANDARD_LEADS[6:], strict=True)), 3),
}


@dataclass(frozen=True)
class ChartForm:
    """How a record is drawn: once in each layout, as square pictures."""

    layouts: tuple[str, ...]
    pixels: int = PIXELS  # of a side

    def __post_init__(self) -> None:
        mistakes = []
        if not self.layouts or len(set(self.layouts)) < len(self.layouts) or not set(self.layouts) <= set(LAYOUTS):
            mistakes.append(f"--charts must be {' or '.join(LAYOUTS)}, or both, but got {','.join(self.layouts)!r}")
        if not FEWEST_PIXELS <= self.pixels <= MOST_PIXELS:
            mistakes.append(f"--chart-pixels must be from {FEWEST_PIXELS} to {MOST_PIXELS}, but got {self.pixels}")
        if mistakes:
            raise Mistake("\n".join(mistakes))

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> Self:
        """Return the form that `described` states."""
        return cls(layouts=tuple(stated["layouts"]), pixels=stated["pixels"])

    def described(self) -> dict[str, Any]:
        """Return the form as plain JSON."""
        return {"layouts": list(self.layouts), "pixels": self.pixels}

    @property
    def size(self) -> int:
        """Return the bytes of a record's charts: (views, 3, pixels, pixels) of uint8."""
        return len(self.layouts) * 3 * self.pixels**2


def require_libraries() -> None:
    """Raise ValueError with the way out unless there is what draws."""
    try:
        import aggdraw
        import PIL
    except ImportError as error:
        raise Mistake("charts are drawn by aggdraw and Pillow: pip install 'orchestrate[vision]'") from error
    assert aggdraw
    assert PIL


def draw(signal: NDArray[np.floating], form: ChartForm, *, rate: float, leads: Sequence[str]) -> NDArray[np.uint8]:
    """Draw the first 10 s of a record, each lead around its own median; a lead that is flat is left out.

    signal: (leads, samples) in mV at `rate` Hz, its rows named by `leads`, in any order. Returns (views, 3, pixels,
    pixels), RGB. A grid whose lines would be closer than 3 pixels is left out: that of 0.04 s and 0.1 mV below 750
    pixels, that of 0.2 s and 0.5 mV below 150. Raises ValueError naming the standard leads that are missing, or if
    there is nothing that draws.
    """
    order = lead_order(leads, STANDARD_LEADS, way_out="charts show the 12 standard leads")
    shown = np.asarray(signal[order, : math.floor(SECONDS * rate) + 1], np.float64)
    require_libraries()
    return np.stack([_view(shown, layout, form.pixels, rate=rate) for layout in form.layouts])


def _view(signal: NDArray[np.float64], layout: str, pixels: int, *, rate: float) -> NDArray[np.uint8]:
    """Draw one layout of the standard leads: (3, pixels, pixels)."""
    import aggdraw

    rows, millivolts = _LAYOUTS[layout]
    image = _background(layout, pixels).copy()
    canvas, pen = aggdraw.Draw(image), aggdraw.Pen(TRACE, max(LEAST_WIDTH, pixels / TRACES))
    row_height, flat = pixels / len(rows), flat_leads(signal.astype(np.float32))
    heights = (signal - np.median(signal, axis=1, keepdims=True)) * row_height / millivolts
    for lead, row, begin, end in cells_of(rows, STANDARD_LEADS):
        first, last = _samples(begin, end, rate=rate, there=signal.shape[1])
        if lead in flat or last - first < 2:
            continue
        across = np.arange(first, last) * (pixels / SECONDS / rate)
        # What leaves the chart stays off it; far away, coordinates would overflow and come back on the other side.
        down = np.clip((row + 0.5) * row_height - heights[lead, first:last], -pixels, 2 * pixels)
        canvas.line(np.stack([across, down], axis=1).ravel().tolist(), pen)
    canvas.flush()
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def _samples(begin: float, end: float, *, rate: float, there: int) -> tuple[int, int]:
    """Return the first sample from `begin` on and the one behind the last that is not after `end` (s)."""
    slack = 1e-6  # samples: 2.5 s times a rate is hardly ever exact
    return math.ceil(begin * rate - slack), min(math.floor(end * rate + slack) + 1, there)


@lru_cache(maxsize=8)
def _background(layout: str, pixels: int) -> "Image":
    """Draw the paper, the borders of cells, and the names of leads; whoever draws on it takes a copy."""
    from PIL import Image, ImageDraw, ImageFont

    rows, millivolts = _LAYOUTS[layout]
    paper = np.full((pixels, pixels, 3), PAPER, np.uint8)
    parts = [(round(SECONDS / seconds), round(len(rows) * millivolts / step)) for seconds, step in GRIDS]
    grids = [each for each in parts if pixels / max(each) >= CLOSEST]
    for (columns, lines), colour in zip(grids, (FINE, COARSE) if len(grids) > 1 else (FAINT,), strict=False):
        paper[_positions(lines, pixels)] = colour
        paper[:, _positions(columns, pixels)] = colour
    image = Image.fromarray(paper)
    canvas, height = ImageDraw.Draw(image), pixels / len(rows)
    font = ImageFont.load_default(size=max(9, pixels / 36))
    for lead, row, begin, _ in cells_of(rows, STANDARD_LEADS):
        left, top = begin / SECONDS * pixels, row * height
        if begin:
            canvas.line([(left, top), (left, top + height)], fill=BORDER)
        canvas.text((left + pixels / 90, top + pixels / 200), STANDARD_LEADS[lead], fill=INK, font=font)
    return image


def _positions(parts: int, pixels: int) -> NDArray[np.int64]:
    """Return where lines lie that cut `pixels` into equal parts: on whole pixels, so that they are crisp."""
    return np.arange(parts) * pixels // parts
