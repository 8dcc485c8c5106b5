"""A drawing as two files, SVG and PNG, in one style. Nothing else here imports matplotlib. Knows not what is drawn.

Equal drawings are equal bytes. Texts stay texts in the SVG: they can be searched, and read aloud.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes as Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator as MaxNLocator

from ecgcore.whole_files import replacing

WIDTH, HEIGHT = 6.0, 4.0  # inch: legible on a phone, and in a column of a paper
# Okabe and Ito's, which the colour-blind tell apart, less the yellow that white paper swallows; each with a line of its
# own, for who prints in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00", "#7F7F7F")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 3)))
FAINT, QUIET = "#BBBBBB", "#666666"
LONGEST = 22  # characters of a name in a drawing
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "orchestrate",
    "text.parse_math": False,  # a name may hold a $
    "axes.formatter.use_mathtext": False,
    "path.simplify_threshold": 0.2,
}
_LONG_NUMBER = re.compile(r"(\d+\.\d{2})\d+")
_PATH = re.compile(r'(?<= d=")[^"]+')
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)


@contextmanager
def drawn(folder: Path, name: str, *, width: float = WIDTH, height: float = HEIGHT) -> Iterator[Drawing]:
    """Give an empty drawing of so many inches; `folder`/NAME.svg and NAME.png are there when the block ends."""
    # A font need not have every letter of a name: the PNG shows a box in its place, the SVG the letter.
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # whatever the machine's own style is
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawing = Drawing(figsize=(width, height), layout="constrained")
        yield drawing
        svg, png = BytesIO(), BytesIO()
        drawing.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        drawing.savefig(png, format="png", dpi=150, metadata={"Software": None})
    for kind, content in (("svg", _small(svg.getvalue().decode()).encode()), ("png", png.getvalue())):
        with replacing(folder / f"{name}.{kind}") as beside:
            beside.touch(mode=0o600)
            beside.write_bytes(content)


def bare_axes(drawing: Drawing, width: float, height: float) -> Axes:
    """Return axes over a whole drawing, without ticks: from (0, 0) above on the left to (width, height)."""
    drawing.set_layout_engine("none")
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def legible(name: str, *, longest: int = LONGEST) -> str:
    """Return a name as a drawing can show it: of letters that XML allows, not too long, not hidden from a legend."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    shown = shown if len(shown) <= longest else f"{shown[: longest // 2]}…{shown[-((longest - 1) // 2) :]}"
    return f" {shown}" if shown.startswith("_") else shown


def styles(count: int) -> list[dict[str, Any]]:
    """Return for each of so many lines a colour and a pattern."""
    pairs = zip(cycle(COLOURS), cycle(LINES), strict=False)
    return [{"color": colour, "linestyle": line} for colour, line in islice(pairs, count)]


def _small(svg: str) -> str:
    """Return the SVG element alone, its lines to a tenth of a point, which is finer than a screen or a print."""
    bare = _COMMENT.sub("", _METADATA.sub("", _HEAD.sub("", svg, count=1)))
    return _PATH.sub(lambda found: _compact(found[0].split()), bare)


def _compact(words: list[str]) -> str:
    """Return a path of straight lines as steps from point to point; a path with curves to a hundredth of a point."""
    if any(word.isalpha() and word not in "MLz" for word in words):
        return " ".join(_LONG_NUMBER.sub(r"\1", word) for word in words)
    steps, numbers, before = [], iter(words), (0, 0)
    for word in numbers:
        if word == "z":
            steps.append("z")
            continue
        point = round(10 * float(next(numbers))), round(10 * float(next(numbers)))
        move = (point[0] - before[0], point[1] - before[1]) if word == "L" else point
        steps.append(("l" if word == "L" else "M") + " ".join(f"{number / 10:g}" for number in move))
        before = point
    return "".join(steps)
