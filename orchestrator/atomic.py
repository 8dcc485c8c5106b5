"""Whole files or none: written beside, synced, renamed; and read again, where only damage can have made them less."""

import json
import os
from pathlib import Path
from typing import Any

from orchestrator.errors import RunFailed


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8, mode 0600); a crash leaves the old file or the new one, and no other."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a write itself knows of no name
        raise
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote. Raises RunFailed for a file that is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunFailed(f"{path}: damaged ({error}); it was written whole: restore it from a copy") from None


def sync_folder(folder: Path) -> None:
    """Make a rename or a new file in `folder` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
