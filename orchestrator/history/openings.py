"""How often a test part was opened, by any run: a second look makes its scores choosable.

An opening is written down twice: in the journal of the final, which counts for all runs of one folder, and beside the
data (register.py), which counts for all that use it and outlives the run.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.atomic import read_json, write_json
from orchestrator.errors import UserError
from orchestrator.history.journal import read_journal
from orchestrator.history.records import SearchBegun, TestOpened
from orchestrator.history.register import Registered, read_register, register_missing
from orchestrator.history.run_contents import all_finals
from orchestrator.history.run_folder import FINAL, RunFolder
from orchestrator.history.sealed_part import SealedPart, part_as_searched
from orchestrator.specs.specs import from_data


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One time that a test part was opened."""

    identity: str  # the same wherever it is written down, and wherever the run lies
    at: datetime
    final: Path  # where it lay then, if the run is no more
    part: SealedPart


def openings_of(part: SealedPart, final: RunFolder) -> list[Opening]:
    """Return every opening of what this final opens, by finals of the same runs folder or of the same data.

    The oldest first.
    """
    found = {one.identity: one for one in _beside(part)}
    for other in all_finals(_room(final)):
        found |= {one.identity: one for one in openings_by(other)}
    return sorted((one for one in found.values() if part.is_opened_with(one.part)), key=lambda one: one.at)


def openings_by(final: RunFolder) -> list[Opening]:
    """Return the openings by one final."""
    entries = read_journal(final.journal)
    moments = [at for record, at in entries if isinstance(record, TestOpened)]
    if not moments:
        return []
    begun = entries[0][1]
    part = part_opened_by(final)
    return [
        Opening(identity=f"{begun.isoformat()} {at.isoformat()}", at=at, final=final.path, part=part) for at in moments
    ]


def part_opened_by(final: RunFolder) -> SealedPart:
    """Return the test part of a final that has opened it: as it wrote it down then, or by its task's word."""
    first = read_journal(final.journal)[0][0]
    assert isinstance(first, SearchBegun)
    data = first.spec.get("facts", {}).get("data")
    if not final.sealed_part.exists():  # of an earlier version, or of a task that does not name its records
        return part_as_searched(from_data(first.spec), data)
    told = read_json(final.sealed_part)
    return SealedPart(data=data, records=frozenset(told["records"]), register=Path(told["register"]))


def write_part(part: SealedPart, final: RunFolder) -> None:
    """Write down what a final is about to open."""
    if part.records:
        write_json(final.sealed_part, {"records": sorted(part.records), "register": str(part.register)})


def is_opened(final: RunFolder) -> bool:
    """Whether a final has opened its test part and not come to its end: to go on is the same opening."""
    return bool(openings_by(final)) and not (final.test.exists() and final.model.exists())


def refuse_second_opening(part: SealedPart, final: RunFolder, *, for_another: bool = False) -> None:
    """Raise UserError where another final has opened this test part, or this one has and is done.

    for_another: what is asked now is not what this one has opened it for.
    """
    done = for_another or (final.test.exists() and final.model.exists())
    own = {one.identity for one in openings_by(final)}
    others = [one for one in openings_of(part, final) if done or one.identity not in own]
    if others:
        last = others[-1]
        same = part.records & last.part.records
        what = "" if not same or same == part.records else ", which holds some of the same records,"
        raise UserError(
            f"{final.path}: the test part of this data{what} was opened on {last.at:%Y-%m-%d %H:%M} by {last.final}; "
            "scores chosen after a look at the test part are worth nothing. --reopen opens it again and marks it"
        )


@contextlib.contextmanager
def openings_alone(part: SealedPart, final: RunFolder) -> Iterator[str | None]:
    """Be the one that opens this test part, of all runs of the folder and all that use the data; others wait.

    Afterwards, what the final's journal says is written down beside the data, too. Gives why that is not possible.
    """
    with contextlib.ExitStack() as locks:
        locks.enter_context(_locked(_room(final) / ".openings.lock"))
        problem = None
        if part.register is not None:
            try:
                locks.enter_context(_locked(part.register))
            except OSError as error:
                problem = f"{part.register}: cannot be written ({error.strerror})"
        yield problem
        if part.register is not None and problem is None:
            register_missing(
                part.register,
                [
                    Registered(identity=one.identity, at=one.at, final=one.final, records=one.part.records)
                    for one in openings_by(final)
                ],
            )


def read_test(final: RunFolder) -> dict[str, Any]:
    """Return test.json, with the count of openings as it is today: a later one makes the earlier choosable, too."""
    tested: dict[str, Any] = read_json(final.test)
    openings = openings_of(part_opened_by(final), final)
    number = max(len(openings), tested["openings"])
    return {**tested, "openings": number, "note": note_on(number)}


def note_on(openings: int) -> str:
    """Return the mark of a test part that was opened more than once; empty for an honest one."""
    return "" if openings == 1 else f"the test part was opened {openings} times: these scores may be chosen"


def _beside(part: SealedPart) -> list[Opening]:
    if part.register is None:
        return []
    return [
        Opening(
            identity=one.identity,
            at=one.at,
            final=one.final,
            part=SealedPart(data=None, records=one.records, register=part.register),
        )
        for one in read_register(part.register)
    ]


def _room(final: RunFolder) -> Path:
    """Return the folder of runs, or of an audit, in which a final, or a test on other data (one deeper), lies."""
    return final.path.parents[1] if final.name.startswith(FINAL) else final.path.parents[2]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the kernel gives back when its holder dies. Raises OSError where the file cannot be written."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
