"""The SQLite file of a local MLflow store: one copy at a time, and never half migrated. Imports no MLflow.

A store is migrated as a copy beside it, which then takes its place in one transaction: whoever is killed meanwhile
leaves the store as it was. What earlier versions left half migrated is set aside, with all that it holds.
"""

import contextlib
import fcntl
import os
import re
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.errors import first_line

WAIT_S = 300.0  # for other copies into the same store, each of which takes seconds
# What MLflow's migrations say of a schema that is not what its own number says. Of a full disk they say other things.
_HALF_MIGRATED = re.compile(
    r"already exists|duplicate column|no such (table|column|index)|expected to match one row|"
    r"UNIQUE constraint failed: alembic_version|overlaps with other requested revisions"
)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What MLflow wants of a database."""

    revision: str  # the one that this MLflow reads and writes
    create: Callable[[Path], None]  # in an empty file
    upgrade: Callable[[Path], None]  # from an earlier revision


class Unusable(Exception):
    """A store that cannot be written, and why."""


def database_of(uri: str) -> Path | None:
    """Return the file of a store in SQLite; None where it is a store of another kind."""
    path = uri.removeprefix("sqlite:///").split("?")[0]
    return Path(path).absolute() if uri.startswith("sqlite:///") and path not in ("", ":memory:") else None


def keep_private(database: Path, artifacts: Path) -> None:
    """Make database and artifacts the user's alone before anything is in them; those of earlier versions, too."""
    with contextlib.suppress(PermissionError):  # somebody else's, who lets us write
        os.close(os.open(database, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database.chmod(0o600)
        artifacts.mkdir(mode=0o700, exist_ok=True)
        artifacts.chmod(0o700)


@contextlib.contextmanager
def alone_with(database: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the store's lock, a file beside it, for the length of the block: SQLite refuses writers that cross.

    Raises Unusable where others hold it for longer than `wait_s`.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(database.stat().st_mode) if database.exists() else 0o600
    lock = database.with_name(f"{database.name}.lock")
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        with contextlib.suppress(PermissionError):  # of a store of several people, another's lock
            os.fchmod(file, mode)
        deadline = time.monotonic() + wait_s
        while not _locked(file):
            if time.monotonic() > deadline:
                raise Unusable(f"others have been copying into {database} for {wait_s:.0f} s")
            time.sleep(0.05)
        yield
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_ready(database: Path, schema: Schema, *, ours: bool) -> list[str]:
    """Bring a store to the schema, from whatever state it is in; under `alone_with`. Return what is to be said of it.

    ours: this program made it; a half-migrated one that the user named is left to the user. Raises Unusable then, and
    what SQLite and MLflow raise.
    """
    beside = database.with_name(f"{database.name}.migrating")
    try:
        _remove(beside)  # of a process that was killed amid the next lines
        revisions = _revisions(database)
        if revisions == [schema.revision]:
            return []
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if revisions is None:
            schema.create(beside)
            _copy(beside, database)
            return []
        _copy(database, beside)
        try:
            schema.upgrade(beside)
        except Exception as error:
            if not _HALF_MIGRATED.search(str(error)):
                raise
            if not ours:
                raise Unusable(
                    f"{database} is half migrated ({first_line(error)}); since you named it, it is left as it is: "
                    "bring back a copy, or name another store in MLFLOW_TRACKING_URI"
                ) from None
            kept = _set_aside(database)
        else:
            _copy(beside, database)
            return []
    finally:
        _remove(beside)
    make_ready(database, schema, ours=ours)
    return [
        f"{database} was left half migrated by a process that was ended; all that it holds is kept in {kept.name}, and "
        "a new store was begun: `orchestrate sync` copies every run into it"
    ]


def _revisions(database: Path) -> list[str] | None:
    """Return what the store says that its schema is; None where there is nothing in it but that."""
    if not database.exists() or not database.stat().st_size:
        return None
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if all(name.startswith("alembic_") for name in tables):
            return None
        if "alembic_version" not in tables:
            return []
        return [str(name) for (name,) in connection.execute("SELECT version_num FROM alembic_version")]


def _copy(source: Path, target: Path) -> None:
    """Put the content of a database into another file, in one transaction."""
    with (
        contextlib.closing(sqlite3.connect(source)) as read,
        contextlib.closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written)


def _set_aside(database: Path) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    kept = database.with_name(f"{database.name}.half-migrated-{moment}")
    mode = stat.S_IMODE(database.stat().st_mode)
    database.rename(kept)
    os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    return kept


def _remove(database: Path) -> None:
    for ending in ("", "-journal", "-wal", "-shm"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
