"""What two cores cannot: all four published networks on every beat, and all eight of torchvision on charts.

    python -m tests.benchmarks.published_on_gpu BEATS RHYTHMS

BEATS, RHYTHMS: prepared stores of experiments/recordings/mitdb_by_beat.yaml and charts_rhythms.yaml (the second may be
without charts: they are drawn here). Needs torch, torchvision, scikit-learn and aggdraw; neither Ray nor Optuna. Scores
are those of validation at the last epoch; nothing sealed is opened and nothing is tuned.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import torch

from ecgcore.data.store import Store, open_store
from ecgcore.drawing.charts import ChartForm, draw
from ecgcore.fit import Metrics, Scalar
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.one_fit import train
from tests.benchmarks.gpu import fit_of

BEAT_NETWORKS = ("beat_cnn", "heartbeat_cnn", "beat_resnet", "dual_path_resnet")
CHART_NETWORKS = (
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "efficientnet_b3",
    "convnext_tiny",
    "convnext_base",
)
WEIGHTED: Mapping[str, Scalar] = {"loss": "weighted_cross_entropy", "precision": "bfloat16"}


def main() -> None:
    beats, rhythms = open_store(Path(sys.argv[1])), with_charts(open_store(Path(sys.argv[2])))
    print(f"{torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'}, torch {torch.__version__}")
    print(f"beats by beat, fold 0 of {len(beats.splits)}: 8 epochs, batches of 128, constant 1e-3")
    for model in () if sys.argv[3:] else BEAT_NETWORKS:
        config = {**WEIGHTED, "model": model, "schedule": "constant", "batch_size": 128}
        show(model, *scores(beats, config, folds=1, steps=8))
    print("charts of four rhythms, from scratch, mean over 3 folds: 20 epochs, batches of 32, one cycle to 1e-3")
    for model in sys.argv[3:] or CHART_NETWORKS:
        show(model, *scores(rhythms, {**WEIGHTED, "model": model, "batch_size": 32}, folds=3, steps=20))
    config = {**WEIGHTED, "model": "cnn1d", "batch_size": 16, "window": 10.0}
    show("cnn1d (signal)", *scores(rhythms, config, folds=3, steps=40))


def with_charts(store: Store) -> Store:
    """Return the store with charts of both layouts, drawn now if it has none."""
    if store.charts is not None:
        return store
    form, records, begun = ChartForm(("4x3", "2x6")), store.records, time.perf_counter()
    drawn = [
        draw(records.signal(index), form, rate=store.rate, leads=store.leads).ravel() for index in range(len(records))
    ]
    print(f"{2 * len(drawn)} charts drawn in {time.perf_counter() - begun:.1f} s")
    numbers = np.arange(len(records), dtype=np.int64)
    return replace(store, charts=form, records=replace(records, charts=np.concatenate(drawn), chart_numbers=numbers))


def scores(store: Store, config: Mapping[str, Scalar], *, folds: int, steps: int) -> tuple[list[Metrics], float]:
    """Train over some folds; return what each was judged with in the end, and the seconds of all."""
    ends, begun = list[Metrics](), time.perf_counter()
    for fold in range(folds):
        heard = Heard()
        with tempfile.TemporaryDirectory() as folder:
            train(fit_of(Path(folder) / "fit", dict(config), steps, fold=fold), heard, store, FeatureCache())
        ends.append(heard.last)
    return ends, time.perf_counter() - begun


class Heard:
    """A report that remembers the last step."""

    last: Metrics

    def __call__(self, step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        self.last = metrics


def show(model: str, ends: list[Metrics], seconds: float) -> None:
    shown = []
    for name in ("macro_f1", "macro_recall", "macro_auc", "collapsed"):
        values = [end[name] for end in ends]
        spread = f" sd {stdev(values):.3f}" if len(values) > 1 else ""
        shown.append(f"{name} {fmean(values):.3f}{spread}")
    print(f"{model:<20} {ends[0]['parameters']:>12,.0f} {'  '.join(shown)}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
