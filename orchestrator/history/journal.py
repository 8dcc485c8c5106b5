"""The truth of a run: an append-only file of JSON lines, each closed by its own crc32, with one writer.

A line is written before any effect of what it says. After kill -9 at any byte the file is a row of whole lines and at
most one torn tail, which the next writer cuts off. Knows nothing of what the records mean.
"""

import fcntl
import json
import logging
import os
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from orchestrator.errors import RunFailed
from orchestrator.history.records import Ask, Record, Reported, SearchBegun, Stage, Tell, TestOpened, from_json, to_json

log = logging.getLogger(__name__)

SYNC_EVERY_S = 1.0  # other events than those of _must_last may be lost with the power, for at most so long

Entry = tuple[Record, datetime]


def read_journal(path: Path) -> list[Entry]:
    """Return every whole record; a torn tail is left out.

    Safe while another process writes. Raises RunFailed on damage.
    """
    return [entry for entry, _end in _whole_lines(path, path.read_bytes())] if path.exists() else []


class AnyJournal(Protocol):
    """What a search needs of its journal."""

    path: Path
    entries: list[Entry]

    @property
    def is_cut_off(self) -> bool: ...  # noqa: D102
    def append(self, record: Record) -> Entry: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class CutOff(RunFailed):
    """This process is no longer the run's driver."""


class Journal:
    """The one writer of one journal. Opening it takes a lock that the kernel gives back when the process dies."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._now = now
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            content = path.read_bytes()
            self.entries: list[Entry] = []
            self._size = 0
            for entry, end in _whole_lines(path, content):
                self.entries.append(entry)
                self._size = end
            if self._size < len(content):
                log.warning(
                    "%s: cut off a torn last line (%d bytes): the event was being written when the driver died",
                    path, len(content) - self._size,
                )  # fmt: skip
                os.ftruncate(self._file, self._size)
        except BaseException:
            os.close(self._file)
            raise
        self._synced = time.monotonic()

    def append(self, record: Record) -> Entry:
        """Write one record; it is on disk before this returns where losing it would change a decision.

        Raises RunFailed when it cannot be written (a full disk); the file then ends with the record before.
        """
        if self.is_cut_off:
            raise CutOff(f"{self.path}: another driver took this run over; this one ends and changes nothing more")
        at = self._now()
        line = encode(record, at=at)
        try:
            os.lseek(self._file, self._size, os.SEEK_SET)
            written = os.write(self._file, line)
            if written < len(line):  # a disk that fills up takes a part of the line without an error
                written += os.write(self._file, line[written:])
            if _must_last(record) or time.monotonic() - self._synced >= SYNC_EVERY_S:
                os.fsync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise RunFailed(
                f"{self.path}: the journal cannot be written ({error.strerror}); nothing is lost: "
                "make room, then give the same command again"
            ) from error
        self._size += len(line)
        entry = _decode(line[:-1])  # what memory holds is what a reader would read
        self.entries.append(entry)
        return entry

    def close(self) -> None:
        """Sync and give the lock back."""
        os.fsync(self._file)
        os.close(self._file)

    @property
    def is_cut_off(self) -> bool:
        """Whether another driver took over: the file of this name is not the one that is open here."""
        try:
            return not os.path.samestat(os.fstat(self._file), self.path.stat())
        except OSError:
            return True

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFailed(
                f"{self.path}: another driver writes this journal; `orchestrate status` shows it, end it or wait for it"
            ) from None


def encode(record: Record, *, at: datetime) -> bytes:
    """Return the record's line: a JSON object whose last key is the crc32 of the object without it."""
    body = json.dumps(to_json(record, at=at), allow_nan=False, separators=(", ", ": "))
    return f'{body[:-1]}, "crc32": "{zlib.crc32(body.encode()):08x}"}}\n'.encode()


def _whole_lines(path: Path, content: bytes) -> Iterator[tuple[Entry, int]]:
    """Yield each whole record and the offset after it. Only the last line may be torn: damage before it is an error."""
    start = 0
    number = 0
    while start < len(content):
        number += 1
        end = content.find(b"\n", start) + 1
        if end == 0:
            return
        try:
            yield _decode(content[start : end - 1]), end
        except ValueError as error:
            if end == len(content) and isinstance(error, _TornError):
                return
            raise RunFailed(
                f"{path}:{number}: damaged line ({error}); the lines before it are good: restore the file from a copy, "
                f"or keep only those lines (head -n {number - 1}) and give the same command again"
            ) from None
        start = end


class _TornError(ValueError):
    """A line that is not what was written."""


def _decode(line: bytes) -> Entry:
    body, mark, crc = line.rpartition(b', "crc32": "')
    if not mark or crc != b'%08x"}' % zlib.crc32(body + b"}"):
        raise _TornError("its checksum does not fit")
    return from_json(json.loads(body + b"}"))


def _must_last(record: Record) -> bool:
    """Return whether losing this record to a power cut would change what is done next."""
    if isinstance(record, Reported):
        return record.decision == "stop" or record.checkpoint is not None
    return isinstance(record, SearchBegun | Ask | Tell | Stage | TestOpened)
