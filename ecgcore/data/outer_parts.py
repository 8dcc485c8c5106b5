"""Outer parts: the open records divided anew, for nested evaluation. Never touches the sealed part.

A search, its selection and its final are repeated without an outer part, which then tests them: what that says of the
whole way, search included, no fit can have chosen.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.disjoint import assert_disjoint
from ecgcore.data.groups import linked
from ecgcore.data.manifest import digest_of
from ecgcore.data.store import Records, Split, Store, Withheld, members_of
from ecgcore.data.stratify import deal
from ecgcore.mistakes import Mistake

FIFTHS = 5  # parts of a repeat, where there are several
# Far from the seeds by which stores draw their folds: an outer part that was an inner fold would leave it empty.
SEED = 54_000_000

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class OuterPart:
    """Which part of how many: up to five divide the records; more are repeats of five, each drawn anew."""

    number: int  # from 0
    count: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `i/n`. Raises ValueError naming rule and value."""
        found = re.fullmatch(r"(\d+)/(\d+)", text) if isinstance(text, str) else None
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if count < 2 or (count > FIFTHS and count % FIFTHS) or number >= count:
            raise Mistake(
                f"outer: must be i/n with n from 2 to {FIFTHS} or a multiple of {FIFTHS}, and i from 0 to n - 1, "
                f"got {text!r}"
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, records: Records, *, multilabel: bool) -> Indices:
        """Return the records of this part, stratified; whoever shares a patient or a signal is on one side.

        Raises ValueError where there are fewer patients than parts.
        """
        parts = min(self.count, FIFTHS)
        keys = zip(records.patients, records.fingerprints.tolist(), strict=True)
        groups = linked(list(keys))  # two patients who share a recording are one person under two names
        if (people := len(np.unique(groups))) < parts:
            raise Mistake(f"outer: must be of at most as many parts as there are patients ({people}), got {self}")
        everyone, repeat = np.arange(len(records)), self.number // parts
        dealt = deal(everyone, parts, groups=groups, labels=records.labels, seed=SEED + repeat, multilabel=multilabel)
        return np.sort(dealt[self.number % parts])


def without_outer(store: Store, outer: OuterPart) -> tuple[Store, Records]:
    """Return the store without the outer part, and that part's records.

    The folds are the store's, each less the outer records; the content hash is another for each part, and no weights
    that saw one of its records are a start. Raises ValueError if a fold is left without train or validation records.
    """
    chosen = outer.of(store.records, multilabel=store.multilabel)
    kept = np.setdiff1d(np.arange(len(store.records)), chosen)
    inner, held = store.records.only(kept), store.records.only(chosen)
    splits = tuple(Split(_among(split.train, kept), _among(split.validation, kept)) for split in store.splits)
    for fold, split in enumerate(splits):
        if not (len(split.train) and len(split.validation)):
            raise Mistake(
                f"outer: must leave every fold train and validation records, but {outer} of {store.directory} leaves "
                f"fold {fold} {len(split.train)} and {len(split.validation)}; prepare it with fewer or larger folds"
            )
    parts = {f"outer part {outer} of {store.directory}": held, "the rest": inner}
    assert_disjoint({name: members_of(some, np.arange(len(some))) for name, some in parts.items()})
    changed = replace(
        store,
        content_hash=digest_of({"store": store.content_hash, "outer": str(outer)}),
        records=inner,
        splits=splits,
        withheld=Withheld(held.ids, held.fingerprints),
    )
    return changed, held


def _among(indices: Indices, kept: Indices) -> Indices:
    """Return the places within `kept` (ascending) of those `indices` that it has."""
    return np.searchsorted(kept, indices[np.isin(indices, kept)]).astype(np.int64)
