"""What charts cost: a thousand records drawn and stored beside their signals, and the same traces by matplotlib.

python -m tests.benchmarks.charts
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.drawing.charts import ChartForm, draw
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.arithmetic import STANDARD_LEADS
from ecgcore.synthetic.database import Synthesis, synthesize

RECORDS, RATE, DRAWN = 1000, 100.0, 30
FORM = ChartForm(("4x3",))

Signal = NDArray[np.float32]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesize(folder / "records", Synthesis(records=RECORDS, seed=1, rate=RATE))
        without = seconds(folder, "signals", charts=None)
        with_charts = seconds(folder, "charts", charts=FORM)
        store = open_store(folder / "charts")
        assert store.records.charts is not None
        signals = [store.records.signal(index) for index in range(DRAWN)]
    ours, theirs = milliseconds(drawn, signals), milliseconds(rendered, signals)
    print(f"{RECORDS} records of 10 s at {RATE:g} Hz into a store  {without:6.1f} s")
    print(f"with a chart of {FORM.pixels} pixels each          {with_charts:6.1f} s")
    print(f"a chart                                {ours:6.2f} ms")
    print(f"its traces alone by matplotlib's Agg   {theirs:6.2f} ms ({theirs / ours:.1f} times as long)")


def seconds(folder: Path, name: str, *, charts: ChartForm | None) -> float:
    request = StoreRequest(rule=SplitRule(folds=1), charts=charts, workers=2)
    begun = time.perf_counter()
    prepare(own_source(folder / "records"), folder / name, request)
    return time.perf_counter() - begun


def milliseconds(drawing: Callable[[Signal], object], signals: list[Signal]) -> float:
    drawing(signals[0])  # what is done once: imports, the paper
    begun = time.perf_counter()
    for signal in signals:
        drawing(signal)
    return 1000 * (time.perf_counter() - begun) / len(signals)


def drawn(signal: Signal) -> object:
    return draw(signal, FORM, rate=RATE, leads=STANDARD_LEADS)


def rendered(signal: Signal) -> object:
    """Draw thirteen lines of as many points by the renderer beneath matplotlib's figures: no paper, no names."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path as Line
    from matplotlib.transforms import IdentityTransform

    renderer_of: Any = RendererAgg  # untyped
    renderer = renderer_of(FORM.pixels, FORM.pixels, 72)
    pen = renderer.new_gc()
    pen.set_linewidth(0.8)
    columns = signal.shape[1] // 4
    for number, lead in enumerate([*signal, signal[1]]):
        cell = slice(0, None) if number == 12 else slice(number // 3 * columns, (number // 3 + 1) * columns)
        across = np.arange(signal.shape[1])[cell] * FORM.pixels / signal.shape[1]
        down = (number % 3 + 0.5) * FORM.pixels / 4 + 14 * lead[cell]
        renderer.draw_path(pen, Line(np.stack([across, down], axis=1)), IdentityTransform())
    return np.asarray(renderer.buffer_rgba())


if __name__ == "__main__":
    main()
