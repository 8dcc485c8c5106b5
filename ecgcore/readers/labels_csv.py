"""Anybody's own recordings: a folder of WFDB records and a CSV with record, patient, labels -> a Source."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.about import about, years
from ecgcore.readers.source import Listed, Source
from ecgcore.readers.table_words import control_characters, fold_mistakes, leads_outside

NEEDED = ("record", "patient", "labels")
ABOUT = ("age", "sex", "site")
ALLOWED = (*NEEDED, "fold", *ABOUT)
SEPARATOR = ";"
ABSENT = "(absent)"  # stands in the lines for a column that is missing


def own_source(directory: Path, *, table: Path | None = None) -> Source:
    """List the records of a CSV (default `<directory>/labels.csv`): record, patient, labels[, fold, age, sex, site].

    record: the path of the header below `directory`, without `.hea`. patient: whose it is; all records of one patient
    stay in one part. labels: one or more, separated by `;` (one each: the classes exclude each other). fold: `test` is
    sealed; other names are validation folds in turn, or `train` and `validation`; empty: drawn. age (in years), sex and
    site are kept for subgroups; empty: unknown.
    Raises ValueError for all mistakes of the file at once, each with its line.
    """
    table = table or directory / "labels.csv"
    if not directory.is_dir():
        raise Mistake(f"{directory} is not a folder: --from must be the folder of the WFDB records")

    def without_header(name: str) -> str | None:
        header = directory / f"{name}.hea"
        return None if header.is_file() else f"has no header {header}"

    listed, mistakes = read_table(table, missing=without_header)
    records = [replace(record, path=directory / record.name) for record in listed]
    classes = tuple(sorted({label for record in records for label in record.labels}))
    if not mistakes and len(classes) < 2:
        mistakes.append(
            f"{table}: there must be two classes or more, but the labels are {', '.join(classes) or 'none'}"
        )
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return Source(
        reader="own",
        directory=directory,
        target="labels",
        classes=classes,
        multilabel=any(len(record.labels) > 1 for record in records),
        records=tuple(records),
        tables=(table,),
    )


def read_table(table: Path, *, missing: Callable[[str], str | None]) -> tuple[list[Listed], list[str]]:
    """Return the records of a CSV with the columns of `own_source`, and its mistakes, a line each.

    missing: says of a record's name what is not there of it, or None. The records' paths are for the caller to set.
    """
    if not table.is_file():
        return [], [f"{table} is missing: name the CSV with {', '.join(NEEDED)} with --labels"]
    records: list[Listed] = []
    mistakes: list[str] = []
    first_line: dict[str, int] = {}
    folds: list[tuple[int, str]] = []
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            mistakes += [f"{table}:1: {mistake}" for mistake in _column_mistakes(list(rows.fieldnames or ()))]
            absent = [column for column in NEEDED if column not in (rows.fieldnames or ())]
            for row in rows if rows.fieldnames else ():
                row |= dict.fromkeys(absent, ABSENT)  # told above; what else is wrong is told beside it
                found = _row_mistakes(row, missing, first_line, absent=absent)
                mistakes += [f"{table}:{rows.line_num}: {mistake}" for mistake in found]
                first_line.setdefault(_name(row), rows.line_num)
                folds.append((rows.line_num, (row.get("fold") or "").strip()))
                if not found:
                    records.append(_listed(row))
    except (csv.Error, UnicodeDecodeError) as error:
        mistakes.append(f"{table}: the file must be comma-separated UTF-8 text, but cannot be read ({error})")
    mistakes += [f"{table}:{line}: {mistake}" for line, mistake in fold_mistakes(folds)]
    return records, mistakes


def _column_mistakes(columns: list[str]) -> list[str]:
    if not columns:
        return [f"the file is empty; its first line must be {','.join(NEEDED)}"]
    mistakes = []
    if "patient" not in columns:
        mistakes.append(
            "the column `patient` is missing: parts are divided by patient, so that nobody is trained on and tested; "
            "add it (if every record is of another person, repeat the record's name there)"
        )
    mistakes += [f"the column `{column}` is missing" for column in ("record", "labels") if column not in columns]
    unknown = [column for column in columns if column not in ALLOWED]
    mistakes += [f"unknown column {column!r}; the columns are {', '.join(ALLOWED)}" for column in unknown]
    mistakes += [f"the column `{column}` is there {n} times" for column, n in Counter(columns).items() if n > 1]
    return mistakes


def _row_mistakes(
    row: dict[str, str], missing: Callable[[str], str | None], first_line: dict[str, int], *, absent: Sequence[str]
) -> list[str]:
    if None in row or None in row.values():
        return [f"the line must have as many fields as the first line, {len(row) - (None in row) - len(absent)}"]
    if hidden := control_characters(row.values()):
        return [hidden]
    mistakes = []
    name = _name(row)
    if not name:
        mistakes.append("record is empty")
    elif leads_outside(name):
        mistakes.append(f"record must be a path below the folder, but {name} leads out of it")
    elif name in first_line and name != ABSENT:
        mistakes.append(f"record {name} was listed before, in line {first_line[name]}; take one of the two out")
    elif name != ABSENT and (lacks := missing(name)):
        mistakes.append(f"record {name} {lacks}")
    if not row["patient"].strip():
        mistakes.append(f"patient is empty (record {name})")
    if not _labels(row):
        mistakes.append(f"labels is empty (record {name}); name a class such as `other`, or take the line out")
    if years(row.get("age")) is None:
        mistakes.append(f"age must be a number of years, or empty if unknown, but is {row['age']!r} (record {name})")
    return mistakes


def _name(row: dict[str, str]) -> str:
    return (row["record"] or "").strip().removesuffix(".hea")


def _labels(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(sorted({label.strip() for label in row["labels"].split(SEPARATOR)} - {""}))


def _listed(row: dict[str, str]) -> Listed:
    return Listed(
        name=_name(row),
        path=Path(_name(row)),
        patient=row["patient"].strip(),
        labels=_labels(row),
        fold=row.get("fold", "").strip(),
        about=about(**{name: row.get(name) for name in ABOUT}),
    )
