"""Records and their Division -> the files of a store: index, signals, charts and splits, and those of the sealed part.

Decides nothing: who is where, and which classes there are, is said by whoever calls.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.about_file import write_about
from ecgcore.data.manifest import CHARTS, HALF_SIGNALS, INDEX, SIGNALS, SPLITS, Content, file_facts
from ecgcore.data.piecewise import Taken
from ecgcore.data.splits import Division
from ecgcore.data.store import COLUMNS, SEPARATOR
from ecgcore.drawing.charts import ChartForm
from ecgcore.readers.source import Listed
from ecgcore.signals.processing import Processing


def label_matrix(records: Sequence[Listed], classes: Sequence[str]) -> NDArray[np.float32]:
    """Return the labels (records, classes) as 0/1."""
    return np.array([[label in record.labels for label in classes] for record in records], np.float32)


def write_open(
    folder: Path,
    taken: list[Taken],
    division: Division,
    *,
    leads: tuple[str, ...],
    rate: float,
    classes: tuple[str, ...],
    multilabel: bool,
    units: str,
    divided_by: str,
    processing: Processing,
    charts: ChartForm | None,
) -> Content:
    """Write everything but the sealed part and return what the manifest says of it."""
    records = division.open()
    signals = HALF_SIGNALS if processing.half else SIGNALS
    write_part(folder, [taken[record] for record in records], signals, charts=charts)
    parts = [{"train": split.train, "validation": split.validation} for split in division.splits]
    folds = [{name: np.searchsorted(records, part).tolist() for name, part in fold.items()} for fold in parts]
    (folder / SPLITS).write_text(json.dumps(folds) + "\n", encoding="utf-8")
    rounding = {"largest_rounding_error": max(taken[record].rounding for record in records)} if processing.half else {}
    return Content(
        classes=classes,
        leads=leads,
        rate=rate,
        units=processing.units if processing.normalise else units,
        multilabel=multilabel,
        records=len(records),
        patients=len({taken[record].listed.patient for record in records}),
        counts={
            f"{name} of fold {number}": _counts([taken[record].listed for record in part], classes)
            for number, fold in enumerate(parts)
            for name, part in fold.items()
        },
        files={name: file_facts(folder / name) for name in (INDEX, signals, *([CHARTS] if charts else []), SPLITS)},
        processing=processing.described() | rounding,
        divided_by=divided_by,
        charts=charts.described() if charts else {},
    )


def _counts(records: Sequence[Listed], classes: Sequence[str]) -> dict[str, Any]:
    return {
        "records": len(records),
        "patients": len({record.patient for record in records}),
        "classes": {name: sum(name in record.labels for record in records) for name in classes},
    }


def write_part(folder: Path, taken: Sequence[Taken], signals: str, *, charts: ChartForm | None) -> None:
    """Write index.csv, `signals`, the charts if any were drawn, and about.csv, of the given records, into `folder`."""
    with (folder / INDEX).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for one in taken:
            labels = SEPARATOR.join(one.listed.labels)
            rows.writerow([one.listed.name, one.listed.patient, labels, one.samples, one.fingerprint])
    write_about(folder, {one.listed.name: one.listed.about for one in taken})
    with (folder / signals).open("wb") as whole:
        for one in taken:
            whole.write(one.signal_bytes())
    if charts:
        with (folder / CHARTS).open("wb") as whole:
            for one in taken:
                whole.write(one.chart_bytes(charts))
