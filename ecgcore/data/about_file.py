"""What is known of whose records a part of a store holds (about.csv): for subgroups, and for nothing else.

Beside what the content hash covers: stores that lack it are the same stores, of whose records nothing is known.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from ecgcore.data.store import Store
from ecgcore.mistakes import Mistake
from ecgcore.readers.about import KNOWN
from ecgcore.whole_files import replacing

ABOUT = "about.csv"


def write_about(folder: Path, known: Mapping[str, Mapping[str, str]]) -> None:
    """Write what is known of each record, by its name, into `folder`; no file if nothing is known of any."""
    if not any(known.values()):
        return
    with replacing(folder / ABOUT) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["record", *KNOWN])
        rows.writerows([record, *(about.get(name, "") for name in KNOWN)] for record, about in known.items())


def read_about(folder: Path) -> dict[str, dict[str, str]]:
    """Return what is known by record, of records of whom anything is: `{"1": {"age": "56", "sex": "female"}}`.

    Raises ValueError, with the way out, if the file is not as it was written.
    """
    if not (folder / ABOUT).is_file():
        return {}
    with (folder / ABOUT).open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if list(rows.fieldnames or ()) != ["record", *KNOWN]:
            raise Mistake(f"{folder / ABOUT} is damaged: prepare the store again with --replace")
        found = {row["record"]: {name: row[name] for name in KNOWN if row[name]} for row in rows}
    return {record: about for record, about in found.items() if about}


def about_of(store: Store) -> dict[str, dict[str, str]]:
    """Return what is known of each open record of a store, by its name; empty where nothing is."""
    return read_about(store.directory)
