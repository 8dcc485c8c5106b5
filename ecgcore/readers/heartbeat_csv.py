"""The published CSV form of MIT-BIH's heartbeats (mitbih_train.csv, mitbih_test.csv) -> a Source of beats, and signals.

A row is 187 values scaled to 0..1, at 125 Hz and padded with zeros, and then the AAMI class as a number. Whose beat it
is the files do not say: each counts as a patient of its own, and stores of them are divided by record.
"""

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.mitdb import AAMI
from ecgcore.readers.source import BY_RECORD, RELATIVE, ArrayRow, Listed, Source
from ecgcore.readers.table_words import table_text

TRAIN, TEST = "mitbih_train.csv", "mitbih_test.csv"
VALUES, RATE, LEAD = 187, 125.0, "MLII"
SHOWN = 20  # malformed rows in a message; the number is always given


def heartbeat_source(place: Path) -> Source:
    """List the beats of one such file, or of a folder's two: then those of mitbih_test.csv are the test part.

    Raises ValueError for all malformed rows, by file and line.
    """
    files = [place] if place.is_file() else [place / name for name in (TRAIN, TEST) if (place / name).is_file()]
    if not files:
        raise Mistake(f"{place} must be the folder of {TRAIN} and {TEST}, or one such file, but is neither")
    records: list[Listed] = []
    mistakes = []
    for file in files:
        try:
            classes = _table(file)[:, VALUES].astype(int).tolist()
        except ValueError as error:
            mistakes.append(str(error))
            continue
        sealed = len(files) > 1 and file.name == TEST
        records += [_listed(file, row, AAMI[number], sealed=sealed) for row, number in enumerate(classes)]
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return Source(
        reader="heartbeat_csv",
        directory=place,
        target="beats",
        classes=AAMI,
        multilabel=False,
        records=tuple(records),
        tables=tuple(files),
        leads=(LEAD,),
        units=RELATIVE,
        divided_by=BY_RECORD,
    )


def beat_values(file: Path, row: int) -> NDArray[np.float32]:
    """Return the signal (1, 187) of a row of a file, as it is scaled there. Raises ValueError as the source does."""
    return _table(file)[row : row + 1, :VALUES]


def _listed(file: Path, row: int, label: str, *, sealed: bool) -> Listed:
    name = f"{file.stem}@{row + 1}"
    place = ArrayRow(row=row, rate=RATE, leads=(LEAD,), unit=RELATIVE, form="beats")
    return Listed(name=name, path=file, patient=name, labels=(label,), fold="test" if sealed else "", array=place)


def _table(file: Path) -> NDArray[np.float32]:
    """Return all rows (beats, values and class) of a file, which is read once a process as long as it is the same."""
    found = file.stat()
    return _read(file, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=2)
def _read(file: Path, size: int, _changed: int) -> NDArray[np.float32]:
    if size == 0:
        raise Mistake(f"{file}: must hold a row for each beat, but is empty")
    try:
        table = np.loadtxt(file, dtype=np.float32, delimiter=",", ndmin=2, comments=None, encoding="utf-8")
    except ValueError:  # of a row: which ones, and why, is looked for below
        table = np.zeros((0, 0), np.float32)
    right = table.shape[1:] == (VALUES + 1,) and bool((table[:, :VALUES] >= 0).all() and (table[:, :VALUES] <= 1).all())
    if right and np.isin(table[:, VALUES], range(len(AAMI))).all():
        return table
    mistakes = [f"{file}:{line}: {mistake}" for line, mistake in _mistakes(file)]
    more = [f"{file}: ... and {len(mistakes) - SHOWN} rows more"] if len(mistakes) > SHOWN else []
    raise Mistake("\n".join([*mistakes[:SHOWN], *more]))


def _mistakes(file: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, mistake) of every malformed row."""
    with table_text(file) as text:
        rows = csv.reader(text)
        for row in rows:
            if not row:
                continue
            if len(row) != VALUES + 1:
                yield rows.line_num, f"the row must have {VALUES} values and the class, but has {len(row)} fields"
                continue
            try:
                numbers = np.array(row, np.float32)
            except ValueError:
                yield rows.line_num, "the row must be of numbers (there is no line of names)"
                continue
            outside = np.flatnonzero(~((numbers[:VALUES] >= 0) & (numbers[:VALUES] <= 1)))
            if len(outside):
                field = int(outside[0])
                yield rows.line_num, f"values must be from 0 to 1, but field {field + 1} is {row[field]}"
            if numbers[VALUES] not in range(len(AAMI)):
                classes = ", ".join(f"{number} {name}" for number, name in enumerate(AAMI))
                yield rows.line_num, f"the class must be {classes}, but is {row[VALUES]}"
