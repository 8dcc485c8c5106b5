"""What a reader of tables hands over: which records there are, of whom, with which labels. Reads no signal."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ecgcore.readers.header import AS_STATED, Correction
from ecgcore.readers.record import record_files
from ecgcore.signals.arithmetic import STANDARD_LEADS

BY_PATIENT, BY_RECORD = "patient", "record"  # what is kept whole when records are divided into parts

MILLIVOLTS, RELATIVE = "mV", "1"  # units of a store's signals


@dataclass(frozen=True, kw_only=True)
class ArrayRow:
    """Where a record lies in a NumPy array, and what the array does not say of itself."""

    row: int
    rate: float  # Hz
    leads: tuple[str, ...]
    unit: str  # mV, uV or V; 1: the signals are scaled, and no voltage is known
    form: Literal["npy", "beats", "chapman"] = "npy"  # what the file is, see reading.py


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One record as its table lists it: a whole recording, or a span of one."""

    name: str
    path: Path  # of the WFDB record, without suffix; of the file that an array is in
    patient: str
    labels: tuple[str, ...]
    fold: str = ""  # the name of the fold that the table gives it; empty: none
    correction: Correction = AS_STATED
    span: tuple[float, float] | None = None  # begin and length in s; None: all of the recording
    array: ArrayRow | None = None
    about: Mapping[str, str] = field(default_factory=dict)  # age, sex, site, device, as far as known: see about.py
    test_part_unused: bool = False  # the database seals it, which was not asked for: no file tells the two apart

    @property
    def recording(self) -> tuple[Path, int]:
        """Identity of the recording that this is all, or a span, of."""
        return self.path, self.array.row if self.array else 0

    def files(self) -> list[Path]:
        """Return the files that the recording is read from, as far as they exist."""
        return [self.path] if self.array else record_files(self.path)


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
    leads: tuple[str, ...] = STANDARD_LEADS  # those of a store, unless others are asked for
    unknown_codes: Mapping[str, int] = field(default_factory=dict)  # code that the label map lacks -> records with it
    corrected: Mapping[str, str] = field(default_factory=dict)  # record -> what its header states wrongly
    joined: tuple[Path, ...] = ()  # the folders, where there are several and `directory` only stands for them
    units: str = MILLIVOLTS  # of the signals once read; 1: relative, as they were scaled before they were published
    divided_by: str = BY_PATIENT  # record: each counts as a patient of its own, though one person has several

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the recordings; of an array, none, since its file is all that is read there."""
        return self.joined or (() if self.directory.is_file() else (self.directory,))

    def by_record(self) -> "Source":
        """Return the source with each record as a patient of its own.

        What divides, asserts that nobody is in two parts, and draws intervals then need not know of it; which of the
        records are of one person is no longer said anywhere, so that nothing counts people that it did not keep apart.
        """
        records = tuple(replace(listed, patient=listed.name) for listed in self.records)
        return replace(self, records=records, divided_by=BY_RECORD)

    def input_hash(self) -> str:
        """Return the sha256 of every byte that is read (tables, headers, signals) and of what was said of them.

        Where they lie does not matter. What most records lack is hashed only where it is there: their hash stays.
        """
        digest = hashlib.sha256()
        for table in self.tables:
            digest.update(f"{table.name}\n".encode() + _sha256(table))
        read: dict[Path, bytes] = {}  # a recording's files are read once, though thousands of beats lie in them
        for record in self.records:
            if record.path not in read:
                read[record.path] = b"".join(f"{file.name}\n".encode() + _sha256(file) for file in record.files())
            digest.update(f"{record.name}\n".encode() + read[record.path])
            if record.span:
                digest.update(f"{record.span[0]!r} {record.span[1]!r}\n".encode())
            if record.array:  # said of the array, not in it: the same bytes are other signals in another unit
                said = record.array
                digest.update(f"{said.row} {said.rate!r} {','.join(said.leads)} {said.unit.lower()}\n".encode())
            if record.test_part_unused:
                digest.update(b"not in the test part\n")
        return digest.hexdigest()


def directories(folders: Iterable[Path]) -> Path:
    """Return the one folder, or a text of several that stands for it in messages."""
    several = list(folders)
    return several[0] if len(several) == 1 else Path(" + ".join(map(str, several)))


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
