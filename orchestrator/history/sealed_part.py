"""What a test opens: the records of a task's test part, by content, and where their openings are written down.

Two test parts that share a record are opened together, whatever else of their data differs. A task that does not name
its records is known by the hash of its data alone.
"""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.specs.specs import SearchSpec
from orchestrator.specs.task_loading import load_task, prepared_task
from orchestrator.task import Scalar, SealedTask, Task


@dataclass(frozen=True, kw_only=True)
class SealedPart:
    """The test part of some data."""

    data: Scalar  # content hash of what lies beside it
    records: frozenset[str] = frozenset()  # names by content, of which a record may have several; empty: not known
    register: Path | None = None  # where openings are written down beside the data

    def is_opened_with(self, other: "SealedPart") -> bool:
        """Whether the other's test shows anything of this one."""
        if self.records and other.records:
            return not self.records.isdisjoint(other.records)
        return self.data == other.data


def part_of(spec: SearchSpec) -> SealedPart:
    """Ask the task of a search what its test opens. Raises UserError where the test part cannot be opened."""
    task = prepared_task(spec.task)
    records, register = _told_by(task)
    return SealedPart(data=task.describe().get("data"), records=records, register=register)


def part_as_searched(spec: SearchSpec, data: Scalar) -> SealedPart:
    """Return what a search's test opened, by the task's word if it still has this data; by the data's hash if not."""
    try:
        task = load_task(spec.task)
        records, register = _told_by(task)
        if records and task.describe().get("data") == data:
            return SealedPart(data=data, records=records, register=register)
    except (ValueError, OSError):  # its data is no more, or another now
        pass
    return SealedPart(data=data)


def _told_by(task: Task) -> tuple[frozenset[str], Path | None]:
    if not isinstance(task, SealedTask):
        return frozenset(), None
    try:
        records = frozenset(task.sealed_records())
    except (ValueError, OSError) as error:
        raise UserError(*str(error).splitlines()) from None
    return records, task.openings_file() if records else None
