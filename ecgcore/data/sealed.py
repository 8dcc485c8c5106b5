"""The only door to the sealed part of a store. Only ecgcore/task.py imports this file: to test, and to say on whom."""

import csv
from pathlib import Path

import numpy as np

from ecgcore.data.about_file import read_about
from ecgcore.data.disjoint import assert_disjoint
from ecgcore.data.manifest import INDEX, SEALED, Manifest, digest_of, read_manifest, sealed_hash
from ecgcore.data.store import Records, members_of, open_store, read_records
from ecgcore.mistakes import Mistake


def open_sealed(directory: Path) -> Records:
    """Return the test part of the store at `directory`.

    Raises ValueError, with the way out, if there is none, if it was taken away or changed, or if it shares a patient or
    a signal with the rest of the store.
    """
    manifest = _manifest(directory)
    content = manifest.content
    if sealed_hash(directory, content.large) != manifest.sealed_hash:
        raise Mistake(f"{directory / SEALED} was changed after it was sealed; prepare the store again with --replace")
    sealed = read_records(directory / SEALED, content)
    others = open_store(directory).records
    parts = {"the test part": (sealed, len(sealed)), "the rest": (others, len(others))}
    assert_disjoint({name: members_of(records, np.arange(count)) for name, (records, count) in parts.items()})
    return sealed


def about_of_sealed(directory: Path) -> dict[str, dict[str, str]]:
    """Return what is known of each record of the test part, as `about_of` does of the others: no label, no signal."""
    _manifest(directory)
    return read_about(directory / SEALED)


def names_of_sealed(directory: Path) -> list[str]:
    """Return by which names the records of the test part are known again: neither labels nor signals.

    Each has two. Its signal's fingerprint, the same in stores of other folds or of 16 bits; and the place of the
    recording, the same in stores of other rates, leads or filters. Whether the part was changed is for `open_sealed` to
    find. Raises ValueError where there is none, or where it was taken away.
    """
    source = _manifest(directory).source
    with (directory / SEALED / INDEX).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    folder = Path(str(source.get("folder", "")))
    places = [digest_of([str(folder), row["record"]])[:16] for row in rows] if folder.is_absolute() else []
    return [*(row["fingerprint"] for row in rows), *places]


def _manifest(directory: Path) -> Manifest:
    """Return the manifest of a store whose test part is there."""
    manifest = read_manifest(directory)
    if manifest.sealed_records == 0:
        raise Mistake(f"{directory} was prepared without a test part; prepare it again with a --test-share above 0")
    missing = [name for name in (INDEX, *manifest.content.large) if not (directory / SEALED / name).is_file()]
    if missing:
        raise Mistake(
            f"the test part of {directory} is not there: {directory / SEALED} has no {' and no '.join(missing)}; put "
            "the folder back, or prepare the store again with --replace"
        )
    return manifest
