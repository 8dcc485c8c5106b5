"""A journal's first record, which says what run it is of; another run under the same name is refused."""

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.errors import RunFailed, UserError
from orchestrator.history.journal import AnyJournal
from orchestrator.history.records import SearchBegun
from orchestrator.history.run_folder import RunFolder


def first_spec(journal: AnyJournal, *, of: str) -> Mapping[str, Any]:
    """Return the spec with which a search or an experiment began. Raises RunFailed where the journal is damaged."""
    first = journal.entries[0][0]
    if not isinstance(first, SearchBegun):
        raise RunFailed(f"{journal.path}:1: the first record must be the {of}; restore the file from a copy")
    return first.spec


def refuse_another(folder: RunFolder, changes: Iterable[str], *, of: str) -> None:
    """Raise UserError with every difference between what the folder holds and what is asked for."""
    if lines := [f"    {change}" for change in changes]:
        rule = f"{folder.path}: holds {of} with another spec; give another --name, or undo the difference:"
        raise UserError(rule, *lines)
