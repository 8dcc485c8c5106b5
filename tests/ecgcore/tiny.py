"""A store by hand, in memory: sums of sine waves whose frequency says the class. Learnt in seconds."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.data.store import Records, Split, Store
from ecgcore.drawing.charts import ChartForm
from ecgcore.fit import Metrics, Scalar
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.one_fit import train

torch.set_num_threads(1)  # of tensors this small a second thread only waits, most of all on a busy machine

LEADS = ("I", "II")
CLASSES = ("slow", "quick", "rapid")
RATE = 50.0  # Hz


def tiny_records(
    count: int,
    *,
    seed: int,
    multilabel: bool,
    lengths: Sequence[int] = (100,),
    classes: int = 3,
    informative: bool = True,
) -> Records:
    """Records whose labels are in their signals (or not, unless `informative`); names and patients carry the seed."""
    random = np.random.default_rng(seed)
    labels = np.eye(classes, dtype=np.float32)[np.arange(count) % classes]
    if multilabel:
        labels = np.maximum(labels, labels[random.permutation(count)])
    samples = [int(lengths[index % len(lengths)]) for index in range(count)]
    signals = [
        _signal(row if informative else 0 * row, length, random) for row, length in zip(labels, samples, strict=True)
    ]
    return Records(
        ids=tuple(f"r{seed}-{index}" for index in range(count)),
        patients=tuple(f"p{seed}-{index // 2}" for index in range(count)),
        labels=labels,
        lengths=np.array(samples, np.int64),
        fingerprints=np.array([fingerprint(signal) for signal in signals]),
        leads=len(LEADS),
        samples=np.concatenate([signal.ravel() for signal in signals]),
    )


def fingerprint(signal: NDArray[np.float32]) -> int:
    return int(np.frombuffer(hashlib.sha256(signal.tobytes()).digest()[:8], np.int64)[0])


def tiny_store(
    *,
    records: int = 24,
    seed: int = 1,
    multilabel: bool = True,
    lengths: Sequence[int] = (100,),
    informative: bool = True,
) -> Store:
    """A store of two folds; the last third and the first third of the records are held out."""
    indices, third = np.arange(records), records // 3
    return Store(
        directory=Path("tiny"),
        classes=CLASSES,
        leads=LEADS,
        rate=RATE,
        multilabel=multilabel,
        content_hash=f"tiny-{records}-{seed}-{multilabel}-{lengths}-{informative}",
        records=tiny_records(records, seed=seed, multilabel=multilabel, lengths=lengths, informative=informative),
        splits=(Split(indices[:-third], indices[-third:]), Split(indices[third:], indices[:third])),
    )


def with_classes(store: Store, *classes: str) -> Store:
    """The same records under other class names, and labels cut to as many."""
    records = replace(store.records, labels=store.records.labels[:, : len(classes)])
    return replace(store, classes=classes, records=records, content_hash=store.content_hash + "".join(classes))


@dataclass(frozen=True, kw_only=True)
class TinyFit:
    config: Mapping[str, Scalar]
    directory: Path
    seed: int = 7
    fold: int = 0
    max_steps: int = 3
    start_from: Path | None = None
    resume_from: Path | None = None
    final: bool = False
    batch_parts: int = 1


class Heard:
    """A report that writes down what it hears, and at step `stop_at` ends the fit as a stopped one."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.metrics: list[dict[str, float]] = []
        self.checkpoints: list[str | None] = []
        self._stop_at = stop_at

    def __call__(self, step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        self.metrics.append(dict(metrics))
        self.checkpoints.append(checkpoint)
        if step == self._stop_at:
            raise SystemExit(0)


def run(fit: TinyFit, store: Store, *, cache: FeatureCache | None = None) -> tuple[list[dict[str, float]], Path]:
    """Train; return the metrics of each epoch and the last checkpoint."""
    heard = Heard()
    train(fit, heard, store, FeatureCache() if cache is None else cache)
    return heard.metrics, fit.directory / str(heard.checkpoints[-1])


def probabilities_in(answers: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    """Return the probabilities (records, classes) of a served model's columns."""
    return np.stack([column for name, column in answers.items() if name.startswith("probability_")], axis=1)


def _signal(label: NDArray[np.float32], length: int, random: np.random.Generator) -> NDArray[np.float32]:
    time = np.arange(length) / RATE
    waves = [np.sin(2 * np.pi * (2 + 4 * index) * time + random.uniform(0, 6)) for index in np.flatnonzero(label)]
    return (sum(waves, np.zeros(length)) + random.normal(0, 0.3, (len(LEADS), length))).astype(np.float32)


def with_charts(store: Store, form: ChartForm) -> Store:
    """The same records with charts by hand: noise, brighter in the third of the picture that the class says."""
    records, random = store.records, np.random.default_rng(0)
    drawn = random.integers(0, 60, (len(records), len(form.layouts), 3, form.pixels, form.pixels), np.uint8)
    third = form.pixels // 3
    for index, number in np.argwhere(records.labels):
        drawn[index, ..., number * third : (number + 1) * third] += 150
    charted = replace(records, charts=drawn.ravel(), chart_numbers=np.arange(len(records)))
    return replace(store, records=charted, charts=form, content_hash=f"{store.content_hash} {form}")
