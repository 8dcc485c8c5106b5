"""PTB-XL: its two tables -> a Source; as target diagnostic superclass, rhythm, all SCP codes or the diagnostic.

Wagner et al. 2020, Scientific Data 7:154. The official folds (`strat_fold`) come with it; who uses them decides which.
"""

import ast
import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.about import about
from ecgcore.readers.source import Listed, Source
from ecgcore.readers.table_words import leads_outside, table_text

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
TARGETS = ("superclass", "rhythm", "codes", "diagnostic")
CERTAIN = 50.0  # % of likelihood from which a diagnostic code counts, where codes are asked for and not superclasses
DATABASE, STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"
NEEDED = ("ecg_id", "patient_id", "scp_codes", "strat_fold", "filename_lr", "filename_hr")
_SEX = {"0": "male", "1": "female"}

Row = Mapping[str, str]


def ptbxl_source(directory: Path, *, target: str = "superclass", rate: float = 100.0) -> Source:
    """List the records of a PTB-XL folder that have a label; those without are counted in `left_out`.

    A superclass counts if any of its diagnostic codes is there, whatever its likelihood (0 is "unknown", not "absent");
    a code of the target `diagnostic` counts from a likelihood of 50 %.
    Up to 100 Hz the 100 Hz files are read, above it the 500 Hz files. Raises ValueError for all mistakes of the tables.
    """
    if target not in TARGETS:
        raise Mistake(f"--target must be {', '.join(TARGETS)} for ptbxl, but got {target!r}")
    labels_of = _labeller(_rows(directory / STATEMENTS, ("",)), target)
    column = "filename_lr" if rate <= 100 else "filename_hr"
    records, mistakes, unlabelled = [], [], 0
    for line, row in _rows(directory / DATABASE, NEEDED):
        try:
            labels = labels_of(_codes(row["scp_codes"]))
            if labels:
                records.append(_listed(directory, row, labels, column=column))
            else:
                unlabelled += 1
        except ValueError as error:
            mistakes.append(f"{directory / DATABASE}:{line}: {error}")
    if mistakes:
        raise Mistake("\n".join(mistakes))
    present = {label for record in records for label in record.labels}
    order = SUPERCLASSES if target == "superclass" else tuple(sorted(present))
    return Source(
        reader="ptbxl",
        directory=directory,
        target=target,
        classes=tuple(label for label in order if label in present),
        multilabel=True,
        records=tuple(records),
        tables=(directory / DATABASE, directory / STATEMENTS),
        left_out={f"without a {target}": unlabelled} if unlabelled else {},
    )


def _rows(path: Path, columns: tuple[str, ...]) -> list[tuple[int, Row]]:
    """Return (line, row) of every row of a table that must have the given columns."""
    if not path.is_file():
        raise Mistake(f"{path} is missing: --from must be the folder of PTB-XL that holds {DATABASE} and {STATEMENTS}")
    with table_text(path) as file:
        table = csv.DictReader(file)
        missing = [column for column in columns if column not in (table.fieldnames or ())]
        if missing:
            raise Mistake(
                f"{path}:1: the table must have the columns {', '.join(columns)}; missing: {', '.join(missing)}"
            )
        return [(table.line_num, row) for row in table]


def _labeller(statements: list[tuple[int, Row]], target: str) -> Callable[[Mapping[str, float]], tuple[str, ...]]:
    """Return the function from the SCP codes of a record to its labels."""
    if target == "codes":
        label_of = {row[""]: row[""] for _, row in statements}
    elif target == "rhythm":
        label_of = {row[""]: row[""] for _, row in statements if row["rhythm"] == "1.0"}
    else:
        column = "" if target == "diagnostic" else "diagnostic_class"
        label_of = {row[""]: row[column] for _, row in statements if row["diagnostic"] == "1.0"}
    least = CERTAIN if target == "diagnostic" else -math.inf
    return lambda codes: tuple(
        sorted({label_of[code] for code, how in codes.items() if code in label_of and how >= least})
    )


def _codes(text: str) -> Mapping[str, float]:
    """Read a Python dict literal of code -> likelihood; a literal only, nothing in it is run."""
    try:
        codes = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        codes = None
    if not isinstance(codes, dict):
        raise Mistake(f"scp_codes must be a dict of code and likelihood, but got {text!r}")
    return codes


def _listed(directory: Path, row: Row, labels: tuple[str, ...], *, column: str) -> Listed:
    if leads_outside(row[column] or ""):
        raise Mistake(f"{column} must be a path below the folder, but {row[column]} leads out of it")
    return Listed(
        name=row["ecg_id"],
        path=directory / row[column],
        patient=_whole(row, "patient_id"),
        labels=labels,
        fold=_whole(row, "strat_fold"),
        about=about(
            age=row.get("age"),
            sex=_SEX.get((row.get("sex") or "").removesuffix(".0")),
            site=(row.get("site") or "").removesuffix(".0"),
            device=row.get("device"),
        ),
    )


def _whole(row: Row, column: str) -> str:
    """Return a whole number that the table writes as a float (`15709.0`)."""
    try:
        number = float(row[column])
        if number == int(number):
            return str(int(number))
    except (ValueError, OverflowError, TypeError):
        pass
    raise Mistake(f"{column} must be a whole number, but got {row[column]!r}")
