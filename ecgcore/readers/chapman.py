"""Chapman-Shaoxing in its own form: Diagnostics.xlsx or .csv and a CSV a record -> a Source of rhythms, and signals.

Zheng et al. 2020, Scientific Data 7:48. One record a patient: 10 s of twelve leads at 500 Hz in microvolts.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.about import about
from ecgcore.readers.source import ArrayRow, Listed, Source
from ecgcore.readers.table_words import leads_outside, table_text
from ecgcore.signals.arithmetic import STANDARD_LEADS, canonical_lead

FOLDERS = ("ECGData", "ECGDataDenoised")  # as recorded, with a line of lead names; filtered by its authors, without
TABLES = ("Diagnostics.csv", "Diagnostics.xlsx")
NEEDED = ("FileName", "Rhythm")
SAMPLES, RATE = 5000, 500.0
PLACE = ArrayRow(row=0, rate=RATE, leads=STANDARD_LEADS, unit="uV", form="chapman")


def chapman_source(directory: Path, *, table: Path | None = None) -> Source:
    """List the records of the table that have a rhythm and a CSV; others are counted.

    directory: that of the table and of ECGData or ECGDataDenoised; or, where it has both, one of the two. The classes
    are the codes of rhythms, until a label map makes groups of them. Raises ValueError for all mistakes of the table.
    """
    signals = _signals(directory)
    table = table or next((signals.parent / name for name in TABLES if (signals.parent / name).is_file()), None)
    if table is None:
        raise Mistake(
            f"{signals.parent} must hold {' or '.join(TABLES)}, but has neither; name the table with --labels"
        )
    records: list[Listed] = []
    mistakes: list[str] = []
    unlabelled = absent = 0
    seen: dict[str, int] = {}
    for line, row in _rows(table):
        name, rhythm = row["FileName"].strip().removesuffix(".csv"), row["Rhythm"].strip().upper()
        if not name or leads_outside(name) or "/" in name:
            mistakes.append(f"{table}:{line}: FileName must be that of a CSV in {signals.name}, but is {name!r}")
        elif name in seen:
            mistakes.append(f"{table}:{line}: record {name} was listed before, in line {seen[name]}; take one out")
        elif not (signals / f"{name}.csv").is_file():
            absent += 1
        elif not rhythm:
            unlabelled += 1
        else:
            known = about(age=row.get("PatientAge"), sex=row.get("Gender"))
            path = signals / f"{name}.csv"
            records.append(Listed(name=name, path=path, patient=name, labels=(rhythm,), array=PLACE, about=known))
        seen.setdefault(name, line)
    if not mistakes and not records:
        mistakes.append(f"{table}: none of its {absent + unlabelled} records has a rhythm and a CSV in {signals}")
    if mistakes:
        raise Mistake("\n".join(mistakes))
    left_out = {f"without a CSV in {signals.name}/": absent, "without a rhythm": unlabelled}
    return Source(
        reader="chapman",
        directory=directory,
        target="rhythm",
        classes=tuple(sorted({label for record in records for label in record.labels})),
        multilabel=False,
        records=tuple(records),
        tables=(table,),
        left_out={why: count for why, count in left_out.items() if count},
    )


def is_chapman(directory: Path) -> bool:
    """Return whether a folder has the database's table and signals."""
    return any((directory / name).is_file() for name in TABLES) and any((directory / one).is_dir() for one in FOLDERS)


def chapman_values(file: Path, _row: int) -> NDArray[np.float64]:
    """Return the signal (12, samples) of a record's CSV in microvolts.

    Raises ValueError for what the database's own filter leaves out, a value that is missing or under 5,000 rows, and
    for other leads.
    """
    with table_text(file) as text:
        first = next(csv.reader(text), [])
    named = any(field.strip()[:1].isalpha() and field.strip().lower() != "nan" for field in first)
    if named and tuple(map(canonical_lead, first)) != STANDARD_LEADS:
        raise Mistake(f"the first line must name the leads {','.join(STANDARD_LEADS)}, but is {','.join(first)!r}")
    if len(first) != len(STANDARD_LEADS):
        raise Mistake(f"there must be {len(STANDARD_LEADS)} columns, a lead each, but there are {len(first)}")
    try:
        values = np.loadtxt(file, delimiter=",", skiprows=int(named), ndmin=2, comments=None, encoding="utf-8").T
    except ValueError as error:  # it names row and column
        raise Mistake(f"there must be {len(first)} numbers in every row, but {str(error).partition(';')[0]}") from None
    if len(values) != len(first):
        raise Mistake(
            f"there must be a number for each of {len(first)} leads in every row, but there are {len(values)}"
        )
    invalid = [lead for lead, row in zip(STANDARD_LEADS, values, strict=True) if not np.isfinite(row).all()]
    if invalid:
        raise Mistake(f"a value is missing, or not a number, in {', '.join(invalid)}")
    if values.shape[1] < SAMPLES:
        raise Mistake(f"there must be {SAMPLES} rows, but there are {values.shape[1]}")
    return values


def _signals(directory: Path) -> Path:
    if directory.name in FOLDERS:
        return directory
    there = [directory / name for name in FOLDERS if (directory / name).is_dir()]
    if len(there) == 2:
        raise Mistake(f"{directory} has both {' and '.join(FOLDERS)}: say which is meant, as --from {there[0]}")
    if not there:
        raise Mistake(f"{directory} must hold {' or '.join(FOLDERS)}, but has neither")
    return there[0]


def _rows(table: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (line, row) of a table that must have the columns FileName and Rhythm."""
    if table.suffix.lower() == ".xlsx":
        rows: list[dict[str, str]] = _sheet(table)
        columns = list(rows[0]) if rows else []
        lines = list(enumerate(rows, start=2))
    else:
        with table_text(table) as file:
            read = csv.DictReader(file, restval="")
            columns = list(read.fieldnames or ())
            lines = [(read.line_num, row) for row in read]
    if missing := [column for column in NEEDED if column not in columns]:
        raise Mistake(f"{table}:1: the columns {' and '.join(NEEDED)} must be there; missing: {', '.join(missing)}")
    yield from lines


def _sheet(table: Path) -> list[dict[str, str]]:
    import pandas  # a second, for those who have the table as a spreadsheet

    try:
        frame: Any = pandas.read_excel(table, dtype=str, keep_default_na=False, engine="openpyxl")
    except ImportError:
        raise Mistake(
            f"{table}: reading .xlsx needs openpyxl (pip install 'orchestrate[excel]'); or save the table as "
            f"{table.with_suffix('.csv')}"
        ) from None
    except (ValueError, OSError, KeyError, BadZipFile) as error:
        raise Mistake(f"{table}: must be a spreadsheet (.xlsx), but cannot be read ({error})") from error
    return [{str(column): str(value) for column, value in row.items()} for row in frame.to_dict("records")]
