"""The openings of test parts as they are written down beside the data: a line of JSON for each, only ever added to.

Read without a lock, since a line that is not whole is not there yet. Who writes holds the lock of openings.py.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.errors import RunFailed


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One opening."""

    identity: str
    at: datetime
    final: Path
    records: frozenset[str]  # of the test part


def read_register(path: Path) -> list[Registered]:
    """Return what is written down. Raises RunFailed on a damaged line."""
    content = path.read_bytes() if path.exists() else b""
    return [_read(path, number, line) for number, line in enumerate(content.split(b"\n")[:-1], 1)]


def register_missing(path: Path, openings: Sequence[Registered]) -> None:
    """Add the openings that are not there, on disk when this returns; a torn last line is cut off."""
    known = {one.identity for one in read_register(path)}
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        for one in openings:
            if one.identity not in known:
                told = {"identity": one.identity, "at": one.at.isoformat(), "final": str(one.final)}
                file.write(json.dumps({**told, "records": sorted(one.records)}).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, number: int, line: bytes) -> Registered:
    try:
        told = json.loads(line)
        return Registered(
            identity=told["identity"],
            at=datetime.fromisoformat(told["at"]),
            final=Path(told["final"]),
            records=frozenset(told["records"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RunFailed(
            f"{path}:{number}: damaged line ({error}); it says who opened the test part: restore the file from a copy, "
            "or take the line out, if you know what it said"
        ) from None
