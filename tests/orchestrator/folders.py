"""Folders in which others are at work."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files, and no sockets or pipes; what goes meanwhile is left out (rglob fails on a folder that does)."""
    for parent, _folders, names in os.walk(folder):
        yield from (path for name in names if (path := Path(parent) / name).is_file())
