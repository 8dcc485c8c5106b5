"""A table of folds (record,fold) for the records of any source: one split for several stores, or a published one."""

import csv
from dataclasses import replace
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.source import Source
from ecgcore.readers.table_words import control_characters, fold_mistakes, table_text

COLUMNS = ["record", "fold"]


def with_folds(source: Source, table: Path) -> Source:
    """Return the source with the folds of a CSV in place of its own; `test` is sealed, see `own_source`.

    Records that the table lacks are left out and counted; it may name others, which other stores have. Raises
    ValueError for all mistakes of the table at once, or if it names none of the records.
    """
    folds = _read(table)
    kept = tuple(replace(listed, fold=folds[listed.name]) for listed in source.records if listed.name in folds)
    if not kept:
        raise Mistake(
            f"{table}: the table of folds must name records of {source.directory}, but names none; one is "
            f"{source.records[0].name}"
        )
    absent = len(source.records) - len(kept)
    left_out = {**source.left_out, **({f"not in {table.name}": absent} if absent else {})}
    return replace(source, records=kept, tables=(*source.tables, table), left_out=left_out)


def _read(table: Path) -> dict[str, str]:
    if not table.is_file():
        raise Mistake(f"{table} is missing: --fold-table must be a CSV with the columns {','.join(COLUMNS)}")
    folds: dict[str, str] = {}
    mistakes = []
    lines: list[tuple[int, str]] = []
    with table_text(table) as file:
        rows = csv.reader(file)
        if next(rows, []) != COLUMNS:
            raise Mistake(f"{table}:1: the first line must be {','.join(COLUMNS)}")
        for row in rows:
            place = f"{table}:{rows.line_num}"
            if len(row) != 2 or not row[0].strip() or not row[1].strip():
                mistakes.append(f"{place}: the line must be record,fold, but is {','.join(row)!r}")
            elif row[0].strip() in folds:
                mistakes.append(f"{place}: record {row[0].strip()} was listed before; take one of the two out")
            elif hidden := control_characters(row):
                mistakes.append(f"{place}: {hidden}")
            else:
                folds[row[0].strip()] = row[1].strip()
                lines.append((rows.line_num, row[1].strip()))
    mistakes += [f"{table}:{line}: {mistake}" for line, mistake in fold_mistakes(lines)]
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return folds
