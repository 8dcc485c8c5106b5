"""A prepared store, read: records with memory-mapped signals, and who is in which fold.

Knows how a part lies on disk (index.csv, signals.f32 or .f16, charts.u8), and nothing of how it came to be. Never
looks into sealed/.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.disjoint import Members, assert_disjoint
from ecgcore.data.manifest import (
    CHARTS,
    HALF_SIGNALS,
    INDEX,
    LARGE,
    SPLITS,
    Content,
    FileFacts,
    file_facts,
    read_manifest,
)
from ecgcore.drawing.charts import ChartForm
from ecgcore.mistakes import Mistake
from ecgcore.readers.source import BY_PATIENT

COLUMNS = ("record", "patient", "labels", "samples", "fingerprint")
SEPARATOR = ";"  # between the labels of a record


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """Some records of a store; their signals are memory-mapped."""

    ids: tuple[str, ...]  # record names, n
    patients: tuple[str, ...]  # n
    labels: NDArray[np.float32]  # (n, classes) 0/1
    lengths: NDArray[np.int64]  # (n,) samples
    fingerprints: NDArray[np.int64]  # (n,) first 8 bytes of sha256 of the float32 signal, before any rounding: identity
    leads: int
    samples: NDArray[Any]  # float32 or float16, read-only: signals in turn, each all of a lead, then the next
    starts: NDArray[np.int64] | None = None  # (n,) where each begins, in samples of one lead; None: where one ends
    charts: NDArray[np.uint8] | None = None  # read-only, the whole file: (views, 3, pixels, pixels) of each in turn
    chart_numbers: NDArray[np.int64] | None = None  # (n,) which of the file's records each is; None: without charts

    def __len__(self) -> int:
        return len(self.ids)

    def signal(self, index: int) -> NDArray[Any]:
        """Return the (leads, samples) signal of record `index`: float32, a read-only view or a copy of 16 bits.

        In the place of signals may be charts (inputs.py): a view of uint8.
        """
        start = self.leads * int(self._starts[index])
        end = start + self.leads * int(self.lengths[index])
        found = self.samples[start:end].reshape(self.leads, -1)
        return found if found.dtype == np.uint8 else found.astype(np.float32, copy=False)

    def only(self, indices: NDArray[np.int64]) -> "Records":
        """Return some of the records, in the order of `indices`; their signals stay where they are."""
        return replace(
            self,
            ids=tuple(self.ids[index] for index in indices.tolist()),
            patients=tuple(self.patients[index] for index in indices.tolist()),
            labels=self.labels[indices],
            lengths=self.lengths[indices],
            fingerprints=self.fingerprints[indices],
            starts=self._starts[indices],
            chart_numbers=None if self.chart_numbers is None else self.chart_numbers[indices],
        )

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths) - self.lengths if self.starts is None else self.starts


@dataclass(frozen=True, eq=False)
class Split:
    """One fold: indices into the records of the store."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Withheld:
    """Records of which nothing is known but that no weights may have seen them."""

    ids: tuple[str, ...]
    fingerprints: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Store:
    """What a fit may see: never a sealed record."""

    directory: Path
    classes: tuple[str, ...]
    leads: tuple[str, ...]
    rate: float  # Hz
    multilabel: bool  # False: every row of labels has exactly one 1
    content_hash: str  # of everything but the sealed part
    records: Records
    splits: tuple[Split, ...]  # one a fold
    processing: Mapping[str, Any] = field(default_factory=dict)  # how signals were changed, see signals/processing.py
    divided_by: str = BY_PATIENT  # record: `patients` are records, and one person's are in several parts
    withheld: Withheld | None = None  # an outer part, see outer_parts.py
    charts: ChartForm | None = None  # of the records' charts, if they have any


def open_store(directory: Path) -> Store:
    """Open a prepared store. The hash of the signals is left to `orchestrate data check`; all else is checked here.

    Raises ValueError, with the way out, if the store is missing, incomplete or damaged, or if the train and validation
    part of a fold share a patient or a signal.
    """
    manifest = read_manifest(directory)
    content = manifest.content
    _check_files(directory, content.files)
    try:
        records = read_records(directory, content)
        splits = _read_splits(directory / SPLITS, len(records))
    except (ValueError, KeyError, TypeError) as error:
        raise Mistake(f"{directory} is damaged: {error}; prepare it again with --replace") from error
    for fold, split in enumerate(splits):
        parts = {"train": members_of(records, split.train), "validation": members_of(records, split.validation)}
        assert_disjoint({f"{name} of fold {fold} of {directory}": part for name, part in parts.items()})
    return Store(
        directory=directory,
        classes=content.classes,
        leads=content.leads,
        rate=content.rate,
        multilabel=content.multilabel,
        content_hash=manifest.content_hash,
        records=records,
        splits=splits,
        processing=content.processing,
        divided_by=content.divided_by,
        charts=_form(content),
    )


def read_records(directory: Path, content: Content) -> Records:
    """Return the records of index.csv in `directory`, signals and charts mapped. Raises ValueError if they do not fit.

    content: of the store, whose classes, leads and kinds of files those of its sealed part are, too.
    """
    classes, leads, form = content.classes, len(content.leads), _form(content)
    with (directory / INDEX).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = np.zeros((len(rows), len(classes)), np.float32)
    for number, row in enumerate(rows):
        labels[number, [classes.index(label) for label in row["labels"].split(SEPARATOR)]] = 1
    lengths = np.array([int(row["samples"]) for row in rows], np.int64)
    records = Records(
        ids=tuple(row["record"] for row in rows),
        patients=tuple(row["patient"] for row in rows),
        labels=labels,
        lengths=lengths,
        fingerprints=np.array([int(row["fingerprint"]) for row in rows], np.int64),
        leads=leads,
        samples=_map(directory / content.signals, "<f2" if content.signals == HALF_SIGNALS else "<f4"),
        charts=_map(directory / CHARTS, "u1") if form else None,
        chart_numbers=np.arange(len(rows)) if form else None,
    )
    if leads * int(lengths.sum()) != len(records.samples):
        raise Mistake(f"{directory / content.signals} does not hold the samples that {INDEX} lists")
    if form and records.charts is not None and len(rows) * form.size != len(records.charts):
        raise Mistake(f"{directory / CHARTS} does not hold a chart in each layout for each record that {INDEX} lists")
    return records


def record_names(directory: Path) -> tuple[str, ...]:
    """Return the names of the open records of a store, from its index alone."""
    with (directory / INDEX).open(newline="", encoding="utf-8") as file:
        return tuple(row["record"] for row in csv.DictReader(file))


def _form(content: Content) -> ChartForm | None:
    return ChartForm.of(content.charts) if content.charts else None


def members_of(records: Records, indices: NDArray[np.int64]) -> Members:
    """Return whom the given records are of, for `assert_disjoint`."""
    return Members([records.patients[index] for index in indices], records.fingerprints[indices].tolist())


def _map(path: Path, dtype: str) -> NDArray[Any]:
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.zeros(0, dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r"))


def _check_files(directory: Path, files: Mapping[str, FileFacts]) -> None:
    """Raise ValueError unless every file is as it was written: by size if large, by hash if small."""
    mistakes = []
    for name, facts in files.items():
        path = directory / name
        if not path.is_file():
            mistakes.append(f"{path} is missing")
        elif path.stat().st_size != facts.bytes:
            mistakes.append(f"{path} must have {facts.bytes} bytes, but has {path.stat().st_size}")
        elif name not in LARGE and file_facts(path) != facts:
            mistakes.append(f"{path} was changed: its sha256 is not the one in the manifest")
    if mistakes:
        raise Mistake("\n".join(f"{mistake}; prepare the store again with --replace" for mistake in mistakes))


def _read_splits(path: Path, records: int) -> tuple[Split, ...]:
    folds = json.loads(path.read_text(encoding="utf-8"))
    splits = tuple(Split(np.array(fold["train"], np.int64), np.array(fold["validation"], np.int64)) for fold in folds)
    for split in splits:
        both = np.concatenate([split.train, split.validation])
        if len(both) and (both.min() < 0 or both.max() >= records):
            raise Mistake(f"{path} names records that are not there")
    return splits
