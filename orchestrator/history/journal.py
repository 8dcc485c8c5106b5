"""The truth of a run: an append-only file of JSON lines (journal_lines.py), with one writer.

A line is written before any effect of what it says. After kill -9 at any byte the file is a row of whole lines and at
most one torn tail, which the next writer cuts off. Knows nothing of what the records mean.
"""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from orchestrator.errors import RunFailed
from orchestrator.history.journal_lines import FIRST, Entry, decode, encode, whole_lines
from orchestrator.history.own_file import CLOSED, OwnFile
from orchestrator.history.records import Ask, Record, Reported, SearchBegun, Stage, Tell, TestOpened

log = logging.getLogger(__name__)

SYNC_EVERY_S = 1.0  # other events than those of _must_last may be lost with the power, for at most so long


def read_journal(path: Path) -> list[Entry]:
    """Return every whole record; a torn tail is left out.

    Safe while another process writes. Raises RunFailed on damage.
    """
    return [line.entry for line, _end in whole_lines(path, path.read_bytes())] if path.exists() else []


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
        self._file = OwnFile(path)
        try:
            self._lock()
            content = path.read_bytes()
            self.entries: list[Entry] = []
            self._size = 0
            self._last = FIRST  # checksum of the last line
            for line, end in whole_lines(path, content):
                self.entries.append(line.entry)
                self._size, self._last = end, line.checksum
            if self._size < len(content):
                log.warning(
                    "%s: cut off a torn last line (%d bytes): the event was being written when the driver died",
                    path, len(content) - self._size,
                )  # fmt: skip
                os.ftruncate(self._file.number, self._size)
        except BaseException:
            self._file.close()
            raise
        self._synced = time.monotonic()

    def append(self, record: Record) -> Entry:
        """Write one record; it is on disk before this returns where losing it would change a decision.

        Raises RunFailed when it cannot be written (a full disk); the file then ends with the record before.
        """
        if self.is_cut_off:
            raise CutOff(
                f"{self.path}: another driver took this run over, or a fit forked this process, "
                "which ends and changes nothing more"
            )
        line = encode(record, at=self._now(), after=self._last)
        try:
            os.lseek(self._file.number, self._size, os.SEEK_SET)
            _write_whole(self._file.number, line)
            if _must_last(record) or time.monotonic() - self._synced >= SYNC_EVERY_S:
                os.fsync(self._file.number)
                self._synced = time.monotonic()
        except BaseException as error:  # an interruption, too: whoever catches it may write again
            os.ftruncate(self._file.number, self._size)
            if not isinstance(error, OSError):
                raise
            raise RunFailed(
                f"{self.path}: the journal cannot be written ({error.strerror}); nothing is lost: "
                "make room, then give the same command again"
            ) from error
        self._size += len(line)
        read = decode(line)  # what memory holds is what a reader would read
        self._last = read.checksum
        self.entries.append(read.entry)
        return read.entry

    def close(self) -> None:
        """Sync and give the lock back."""
        if self._file.number != CLOSED:  # in a process that the driver forked
            os.fsync(self._file.number)
        self._file.close()

    @property
    def is_cut_off(self) -> bool:
        """Whether another driver took over, or this process was forked by it.

        The file of this name is not the one that is open here.
        """
        try:
            return not os.path.samestat(os.fstat(self._file.number), self.path.stat())
        except OSError:
            return True

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFailed(
                f"{self.path}: another driver writes this journal; `orchestrate status` shows it, end it or wait for it"
            ) from None


def _write_whole(file: int, line: bytes) -> None:
    """Write all of a line. A disk that fills up takes a part of it without an error, and so perhaps of the rest."""
    while line:
        written = os.write(file, line)
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        line = line[written:]


def _must_last(record: Record) -> bool:
    """Return whether losing this record to a power cut would change what is done next."""
    if isinstance(record, Reported):
        return record.decision == "stop" or record.checkpoint is not None
    return isinstance(record, SearchBegun | Ask | Tell | Stage | TestOpened)
