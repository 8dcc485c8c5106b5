"""The only door to the sealed part of a store. Only the `test` of ecgcore/task.py imports this file."""

from pathlib import Path

import numpy as np

from ecgcore.data.disjoint import assert_disjoint
from ecgcore.data.manifest import INDEX, SEALED, read_manifest, sealed_hash
from ecgcore.data.store import Records, members_of, open_store, read_records


def open_sealed(directory: Path) -> Records:
    """Return the test part of the store at `directory`.

    Raises ValueError, with the way out, if there is none, if it was taken away or changed, or if it shares a patient or
    a signal with the rest of the store.
    """
    manifest = read_manifest(directory)
    content = manifest.content
    if manifest.sealed_records == 0:
        raise ValueError(f"{directory} was prepared without a test part; prepare it again with a --test-share above 0")
    missing = [name for name in (INDEX, content.signals) if not (directory / SEALED / name).is_file()]
    if missing:
        raise ValueError(
            f"the test part of {directory} is not there: {directory / SEALED} has no {' and no '.join(missing)}; put "
            "the folder back, or prepare the store again with --replace"
        )
    if sealed_hash(directory, content.signals) != manifest.sealed_hash:
        raise ValueError(
            f"{directory / SEALED} was changed after it was sealed; prepare the store again with --replace"
        )
    sealed = read_records(
        directory / SEALED, classes=content.classes, leads=len(content.leads), signals=content.signals
    )
    others = open_store(directory).records
    parts = {"the test part": (sealed, len(sealed)), "the rest": (others, len(others))}
    assert_disjoint({name: members_of(records, np.arange(count)) for name, (records, count) in parts.items()})
    return sealed
