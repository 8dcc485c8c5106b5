"""A journal that is kept in memory and forgotten: of a search that is simulated. Its clock counts steps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.history.journal_lines import Entry
from orchestrator.history.records import Record, Reported

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class MemoryJournal:
    """Each step reported takes one second of its time, and nothing else takes any."""

    is_cut_off = False

    def __init__(self, path: Path) -> None:
        self.path = path  # for messages; nothing is written
        self.entries: list[Entry] = []
        self.steps = 0

    def append(self, record: Record) -> Entry:
        """Keep one record."""
        self.steps += isinstance(record, Reported)
        entry = record, BEGINNING + timedelta(seconds=self.steps)
        self.entries.append(entry)
        return entry

    def close(self) -> None:
        """Do nothing."""
