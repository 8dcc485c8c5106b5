"""Journals of which a test has changed what they say, so that they are whole again."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.history.journal_lines import FIRST


def lines_of(journal: bytes) -> list[dict[str, Any]]:
    """What each line says, without its checksums."""
    lines = [json.loads(line) for line in journal.splitlines()]
    return [{key: value for key, value in line.items() if key not in ("after", "crc32")} for line in lines]


def chained(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Lines that say this, each with its own checksum and that of the one before."""
    after, written = FIRST, b""
    for line in lines:
        body = json.dumps({**line, "after": after}, separators=(", ", ": "))
        after = f"{zlib.crc32(body.encode()):08x}"
        written += f'{body[:-1]}, "crc32": "{after}"}}\n'.encode()
    return written
