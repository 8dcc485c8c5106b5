"""How often the test part of some data was opened, by any run: a second look makes its scores choosable.

Counted in the journals of the finals below one runs folder, by the content of the data and not by the name of a run.
"""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import UserError
from orchestrator.history.journal import read_journal
from orchestrator.history.records import SearchBegun, TestOpened
from orchestrator.history.run_contents import all_finals
from orchestrator.history.run_folder import RunFolder
from orchestrator.task import Scalar


@dataclass(frozen=True)
class Opening:
    """One time that the test part was opened."""

    final: RunFolder
    at: datetime


def openings_of(data: Scalar, final: RunFolder) -> list[Opening]:
    """Return every opening of this data by the finals that lie in the same runs folder as `final`, oldest first."""
    found = []
    for other in all_finals(final.path.parent.parent):
        entries = read_journal(other.journal)
        first = entries[0][0] if entries else None
        if isinstance(first, SearchBegun) and first.spec.get("facts", {}).get("data") == data:
            found += [Opening(other, at) for record, at in entries if isinstance(record, TestOpened)]
    return sorted(found, key=lambda opening: opening.at)


def refuse_second_opening(data: Scalar, final: RunFolder) -> None:
    """Raise UserError where another final has opened the test part of this data, or this one has and is done."""
    done = final.test.exists() and final.model.exists()
    others = [one for one in openings_of(data, final) if done or one.final.path != final.path]
    if others:
        last = others[-1]
        raise UserError(
            f"{final.path}: the test part of this data was opened on {last.at:%Y-%m-%d %H:%M} by {last.final.path}; "
            "scores chosen after a look at the test part are worth nothing. --reopen opens it again and marks it"
        )
