"""What a reader of tables hands over: which records there are, of whom, with which labels. Reads no signal."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecgcore.readers.record import record_files


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One record as its table lists it."""

    name: str
    path: Path  # without suffix
    patient: str
    labels: tuple[str, ...]
    fold: str = ""  # the name of the fold that the table gives it; empty: none


@dataclass(frozen=True, kw_only=True)
class Source:
    """The records of one database, before any is read."""

    reader: str
    directory: Path
    target: str  # what the labels are
    classes: tuple[str, ...]
    multilabel: bool  # False: every record has exactly one label
    records: tuple[Listed, ...]
    tables: tuple[Path, ...]  # the files that say all this
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> how many records are not listed

    def input_hash(self) -> str:
        """Return the sha256 of every byte that is read: tables, headers, signals. Where they lie does not matter."""
        digest = hashlib.sha256()
        for table in self.tables:
            digest.update(f"{table.name}\n".encode() + _sha256(table))
        for record in self.records:
            digest.update(f"{record.name}\n".encode())
            for file in record_files(record.path):
                digest.update(f"{file.name}\n".encode() + _sha256(file))
        return digest.hexdigest()


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
