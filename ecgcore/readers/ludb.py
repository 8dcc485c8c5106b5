"""LUDB: ludb.csv -> a Source with the rhythm, or every diagnosis, as target.

Kalyakulina et al. 2020. One record a patient. Each lead's gain in the headers scales it to 1.0 peak to peak, so that
the leads of a record cannot be compared; the raw integers, by the thousand, are millivolts.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.about import about
from ecgcore.readers.header import Correction
from ecgcore.readers.source import Listed, Source
from ecgcore.readers.table_words import leads_outside, table_text

TABLE = "ludb.csv"
TARGETS = ("rhythm", "codes")
RHYTHMS, NOT_CODES = "Rhythms", ("ID", "Sex", "Age")
GAIN = 1000.0  # raw integers per mV: so Einthoven's III = II - I holds to the integer


def ludb_source(directory: Path, *, target: str = "rhythm") -> Source:
    """List the records of LUDB with their rhythm (the first that is stated), or with every diagnosis as a code.

    Raises ValueError for all mistakes of the table at once.
    """
    if target not in TARGETS:
        raise Mistake(f"--target must be {' or '.join(TARGETS)} for ludb, but got {target!r}")
    table = directory / TABLE
    if not table.is_file():
        raise Mistake(f"{table} is missing: --from must be the folder of LUDB that holds {TABLE} and data/")
    records: list[Listed] = []
    mistakes: list[str] = []
    unlabelled = absent = 0
    with table_text(table) as file:  # values end with a line break, inside quotes
        rows = csv.DictReader(file)
        missing = [column for column in ("ID", RHYTHMS) if column not in (rows.fieldnames or ())]
        if missing:
            raise Mistake(f"{table}:1: the columns ID and {RHYTHMS} must be there; missing: {', '.join(missing)}")
        for row in rows:
            name = (row["ID"] or "").strip()
            labels = _lines(row[RHYTHMS])[:1] if target == "rhythm" else _codes(row)
            if not name:
                mistakes.append(f"{table}:{rows.line_num}: ID is empty")
            elif leads_outside(name):
                mistakes.append(f"{table}:{rows.line_num}: ID must be a record in data/, but {name} leads out of it")
            elif not (directory / "data" / f"{name}.hea").is_file():
                absent += 1
            elif not labels:
                unlabelled += 1
            else:
                known = about(age=row.get("Age"), sex=row.get("Sex"))
                records.append(_listed(directory, name, tuple(labels), known))
    if not mistakes and not records:
        mistakes.append(f"{table}: none of its {absent} records has a header in {directory / 'data'}")
    if mistakes:
        raise Mistake("\n".join(mistakes))
    left_out = {"without a header in data/": absent, f"without a {target}": unlabelled}
    return Source(
        reader="ludb",
        directory=directory,
        target=target,
        classes=tuple(sorted({label for record in records for label in record.labels})),
        multilabel=target == "codes",
        records=tuple(records),
        tables=(table,),
        left_out={why: count for why, count in left_out.items() if count},
        corrected={
            record.name: "its header scales each lead to 1 peak to peak; raw integers / 1000 are mV"
            for record in records
        },
    )


def _listed(directory: Path, name: str, labels: tuple[str, ...], known: Mapping[str, str]) -> Listed:
    path = directory / "data" / name
    return Listed(name=name, path=path, patient=name, labels=labels, correction=Correction(gain=GAIN), about=known)


def _lines(value: str | None) -> list[str]:
    """Return the lines of a field, stripped; `Atrial fibrillation\\nAberrant conduction\\n` has two."""
    return [line.strip().rstrip(".") for line in (value or "").splitlines() if line.strip()]


def _codes(row: dict[str, str]) -> list[str]:
    return sorted({line for column, value in row.items() if column not in NOT_CODES for line in _lines(value)})
