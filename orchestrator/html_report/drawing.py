"""How the page's figures look, and how they become files: the same bytes each time, text as text, SVG and PNG.

Colours are Okabe and Ito's, told apart by the colour-blind; whatever a colour says is said by a shape or a width, too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH = 5.2  # inches: at 400 pixels its text is as large as a phone's smallest
STRONG, SECOND, FAINT = "#0072B2", "#D55E00", "#999999"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "orchestrate",  # so that ids, and with them bytes, do not change
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "text.parse_math": False,  # names come from files of others
    "savefig.dpi": 150,
}


def draw(path: Path, name: str, *, panels: int = 1, height: float = 2.6, columns: int = 1) -> "_Drawing":
    """Return a figure of so many panels, side by side in columns, to be saved as `NAME.svg` and `NAME.png` below path.

    height: of a row of panels, in inches.
    """
    return _Drawing(path, name, panels=panels, height=height, columns=columns)


class _Drawing:
    """A figure while it is drawn: `with draw(...) as panels`; what is drawn without an error is saved."""

    def __init__(self, path: Path, name: str, *, panels: int, height: float, columns: int) -> None:
        self._path, self._name, self._style = path, name, mpl.rc_context(_STYLE)
        self._panels, self._height, self._columns = panels, height, min(columns, panels)

    def __enter__(self) -> Sequence[Axes]:
        self._style.__enter__()
        rows = -(-self._panels // self._columns)
        self._figure = Figure(figsize=(WIDTH, rows * self._height), layout="constrained")
        FigureCanvasAgg(self._figure)
        axes = self._figure.subplots(rows, self._columns, squeeze=False).ravel()
        for unused in axes[self._panels :]:
            unused.set_axis_off()
        return list(axes[: self._panels])

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if error is None:
                self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._figure.savefig(self._path / f"{self._name}.svg", metadata={"Date": None})
                self._figure.savefig(self._path / f"{self._name}.png")
        finally:
            self._style.__exit__(None, None, None)
