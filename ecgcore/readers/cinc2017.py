"""PhysioNet/CinC Challenge 2017: short single-lead recordings and REFERENCE.csv -> a Source of four rhythms.

Clifford et al. 2017. Patients are not published: each record counts as one. The lead is between the hands: lead I.
"""

import csv
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.header import Correction
from ecgcore.readers.source import Listed, Source
from ecgcore.readers.table_words import table_text

REFERENCE = "REFERENCE.csv"
CLASS_OF = {"N": "N", "A": "A", "O": "O", "~": "noise"}  # normal, atrial fibrillation, other rhythm, too noisy
_CORRECTION = Correction(lead_names={"ECG": "I"})


def cinc2017_source(directory: Path, *, table: Path | None = None) -> Source:
    """List the records of REFERENCE.csv (record,label; no header line), wherever below `directory` they lie.

    Raises ValueError for all mistakes of the table at once: a label that is not N, A, O or ~, a record without header,
    a record listed twice.
    """
    table = table or directory / REFERENCE
    if not table.is_file():
        raise Mistake(f"{table} is missing: --from must be the folder of the challenge that holds {REFERENCE}")
    headers = {header.stem: header for header in sorted(directory.rglob("*.hea"))}
    records: list[Listed] = []
    mistakes: list[str] = []
    seen: set[str] = set()
    with table_text(table) as file:
        for line, row in enumerate(csv.reader(file), start=1):
            mistake = _mistake(row, headers, seen)
            if mistake:
                mistakes.append(f"{table}:{line}: {mistake}")
                continue
            name, label = row[0].strip(), CLASS_OF[row[1].strip()]
            path = headers[name].with_suffix("")
            records.append(Listed(name=name, path=path, patient=name, labels=(label,), correction=_CORRECTION))
            seen.add(name)
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return Source(
        reader="cinc2017",
        directory=directory,
        target="rhythm",
        classes=tuple(CLASS_OF.values()),
        multilabel=False,
        records=tuple(records),
        tables=(table,),
        leads=("I",),
    )


def _mistake(row: list[str], headers: dict[str, Path], seen: set[str]) -> str:
    if len(row) != 2:
        return f"the line must be record,label, but is {','.join(row)!r}"
    name, label = row[0].strip(), row[1].strip()
    if label not in CLASS_OF:
        return f"the label must be {', '.join(CLASS_OF)}, but record {name} has {label!r}"
    if name in seen:
        return f"record {name} was listed before; take one of the two out"
    return "" if name in headers else f"record {name} has no header below the folder"
