"""Which reader reads which folder, and with which of its options: the one list of readers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.array import ArrayFormat, array_source
from ecgcore.readers.challenge import challenge_source, dx_codes
from ecgcore.readers.chapman import chapman_source, is_chapman
from ecgcore.readers.cinc2017 import REFERENCE, cinc2017_source
from ecgcore.readers.header import header_comments
from ecgcore.readers.heartbeat_csv import TEST, TRAIN, heartbeat_source
from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.ludb import TABLE as LUDB_TABLE
from ecgcore.readers.ludb import TARGETS as LUDB_TARGETS
from ecgcore.readers.ludb import ludb_source
from ecgcore.readers.mitdb import ANNOTATOR, DEFAULT, Cut, mitdb_source
from ecgcore.readers.mitdb import TARGETS as MITDB_TARGETS
from ecgcore.readers.ptbxl import DATABASE, ptbxl_source
from ecgcore.readers.ptbxl import TARGETS as PTBXL_TARGETS
from ecgcore.readers.source import Source

NO_ARRAY = ArrayFormat(rate=None, leads=(), unit=None)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What of a folder is wanted. None: what the reader does unasked."""

    directory: Path
    table: Path | None = None
    target: str | None = None
    rate: float | None = None  # Hz, of the store: some databases come at two rates
    cut: Cut = DEFAULT  # of annotated records
    array: ArrayFormat = NO_ARRAY


READERS: Mapping[str, Callable[[Wish], Source]] = {
    "ptbxl": lambda wish: ptbxl_source(wish.directory, target=wish.target or "superclass", rate=wish.rate or 100.0),
    "cinc2017": lambda wish: cinc2017_source(wish.directory, table=wish.table),
    "challenge": lambda wish: challenge_source(wish.directory),
    "ludb": lambda wish: ludb_source(wish.directory, target=wish.target or "rhythm"),
    "mitdb": lambda wish: mitdb_source(
        wish.directory, cut=replace(wish.cut, target=wish.target) if wish.target else wish.cut
    ),
    "heartbeat_csv": lambda wish: heartbeat_source(wish.directory),
    "chapman": lambda wish: chapman_source(wish.directory, table=wish.table),
    "numpy": lambda wish: array_source(wish.directory, wish.array, table=wish.table),
    "own": lambda wish: own_source(wish.directory, table=wish.table),
}
TARGETS = {"ptbxl": PTBXL_TARGETS, "ludb": LUDB_TARGETS, "mitdb": MITDB_TARGETS}
WITH_TARGET = tuple(TARGETS)
WITH_TABLE = ("own", "numpy", "cinc2017", "chapman")
FILES = ("numpy", "heartbeat_csv")  # readers to which --from may name a file
WITH_CUT = ("mitdb",)
WITH_ARRAY = ("numpy",)


def source_of(reader: str, wish: Wish) -> Source:
    """List the records of a folder by a reader's name. Raises ValueError as that does, and for options it lacks."""
    if reader not in FILES and not wish.directory.is_dir():
        raise Mistake(f"{wish.directory} is not a folder: --from must be the folder of the recordings")
    if mistakes := wish_mistakes(reader, wish):
        raise Mistake("\n".join(mistakes))
    return READERS[reader](wish)


def wish_mistakes(reader: str, wish: Wish) -> list[str]:
    """Return what a reader cannot be asked for, a line each. Looks at no file."""
    mistakes = []
    if wish.array != NO_ARRAY and reader not in WITH_ARRAY:
        mistakes.append(f"--array-rate, --array-leads and --array-unit are for numpy, but the reader is {reader}")
    if wish.cut != DEFAULT and reader not in WITH_CUT:
        mistakes.append(f"--window, --piece and --paced are for mitdb, but the reader is {reader}")
    if wish.target and reader not in WITH_TARGET:
        mistakes.append(f"--target is for {', '.join(WITH_TARGET)}, but got {wish.target!r} for {reader}")
    if wish.target and wish.target not in TARGETS.get(reader, (wish.target,)):
        mistakes.append(f"--target must be {' or '.join(TARGETS[reader])} for {reader}, but got {wish.target!r}")
    if wish.table and reader not in WITH_TABLE:
        mistakes.append(f"--labels is for {', '.join(WITH_TABLE)}; {reader} has its own tables")
    return mistakes


def recognise(directory: Path) -> str | None:
    """Return the reader for a folder by the files in it; None if none is known."""
    signs = {DATABASE: "ptbxl", LUDB_TABLE: "ludb", REFERENCE: "cinc2017", "labels.csv": "own"}
    signs |= {TRAIN: "heartbeat_csv", TEST: "heartbeat_csv"}
    for name, reader in signs.items():
        if (directory / name).is_file():
            return reader
    if is_chapman(directory):
        return "chapman"
    if next(directory.glob(f"*.{ANNOTATOR}"), None):
        return "mitdb"
    header = next(directory.rglob("*.hea"), None)
    return "challenge" if header and dx_codes(header_comments(header)) else None
