"""The lines of a journal: what one looks like, and which of a file's content are whole, in order and undamaged.

A line is a JSON object. Its last key is the crc32 of the object without it, the one before, `after`, the crc32 of the
line before: a line that was removed, doubled or moved breaks this chain. Lines of version 1 have no `after`; of them
record_order.py sees what it can.
"""

import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from orchestrator.errors import RunFailed
from orchestrator.history.record_order import RecordOrder
from orchestrator.history.records import Record, from_json, to_json

FIRST = "00000000"  # what the first line has as `after`
_BEGINNING = b'{"event": "'

Entry = tuple[Record, datetime]


class Line(NamedTuple):
    """One line, read."""

    entry: Entry
    after: str | None  # checksum of the line before; None: of version 1
    checksum: str


def encode(record: Record, *, at: datetime, after: str = FIRST) -> bytes:
    """Return the record's line, to be written after the one with the checksum `after`."""
    body = json.dumps({**to_json(record, at=at), "after": after}, allow_nan=False, separators=(", ", ": "))
    return f'{body[:-1]}, "crc32": "{zlib.crc32(body.encode()):08x}"}}\n'.encode()


def decode(line: bytes) -> Line:
    """Read one line. Raises ValueError, saying what is wrong with it."""
    body, mark, checksum = line.removesuffix(b"\n").rpartition(b', "crc32": "')
    if not mark or checksum != b'%08x"}' % zlib.crc32(body + b"}"):
        raise ValueError("its checksum does not fit")
    content = json.loads(body + b"}")
    after = content.pop("after", None)
    return Line(from_json(content), after, checksum[:8].decode())


def whole_lines(path: Path, content: bytes) -> Iterator[tuple[Line, int]]:
    """Yield each whole line and the offset behind it; the end of a write that was cut off is left out.

    Raises RunFailed, with the number of the line, on any other damage.
    """
    order: RecordOrder | None = RecordOrder()  # None: from here on the chain says it
    start, number, before = 0, 0, FIRST
    while start < len(content):
        number += 1
        text = content[start : content.find(b"\n", start) + 1 or len(content)]
        if _is_torn(text, is_last=start + len(text) == len(content), is_first=number == 1):
            return
        try:
            line = decode(text)
            if line.after is not None:
                order = None
            if order is not None:
                order.follow(line.entry[0])
            elif line.after != before:
                raise ValueError("it was written after another line than the one before it: one was removed or moved")
        except ValueError as error:
            raise RunFailed(f"{path}:{number}: damaged line ({error}); {_way_out(number)}") from None
        start += len(text)
        before = line.checksum
        yield line, start


def _is_torn(text: bytes, *, is_last: bool, is_first: bool) -> bool:
    """Return whether this is what the death of a driver (the beginning of a line) or of a machine (NULs) leaves."""
    if not is_last:
        return False
    begun = not text.endswith(b"\n") and text[: len(_BEGINNING)] == _BEGINNING[: len(text)]
    return begun or (b"\0" in text and not is_first)


def _way_out(number: int) -> str:
    if number == 1:
        return "nothing of the run can be read: restore the file from a copy, or give a new --name"
    return (
        "the lines before it are good: restore the file from a copy, or keep only those lines "
        f"(head -n {number - 1}) and give the same command again"
    )
