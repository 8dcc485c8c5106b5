"""How records are dealt into parts with like shares of every class, each patient whole. Numbers in, indices out."""

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


def deal(
    records: Indices, count: int, *, groups: Indices, labels: NDArray[np.float32], seed: int, multilabel: bool
) -> list[Indices]:
    """Deal records into `count` parts with like shares of each class, every group whole.

    records: indices into groups (n,) and labels (n, classes) 0/1. Where classes exclude each other by scikit-learn's
    StratifiedGroupKFold; else by iterative stratification. Raises ValueError if there are fewer groups than parts.
    """
    present, members = np.unique(groups[records], return_inverse=True)
    if len(present) < count:
        raise Mistake(
            f"{count} parts need {count} patients or more, but there are {len(present)} (see --folds, --test-share)"
        )
    if multilabel:
        sizes, counts = np.zeros(len(present)), np.zeros((len(present), labels.shape[1]))
        np.add.at(sizes, members, 1)
        np.add.at(counts, members, labels[records])
        members_of = iterative(counts, sizes, count, rng=np.random.default_rng(seed))[members]
        return [records[members_of == part] for part in range(count)]
    from sklearn.model_selection import StratifiedGroupKFold  # seconds, which a recipe's check need not wait for

    dealer = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    balanced = strata(labels[records], smallest=count)
    return [records[part] for _, part in dealer.split(balanced, balanced, groups[records])]


def iterative(counts: Floats, sizes: Floats, parts: int, *, rng: np.random.Generator) -> Indices:
    """Return the part of every group, by iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011).

    counts: (groups, classes) records of each class; sizes: (groups,) records. The rarest class among the groups that
    are left is dealt first, its groups with most records of it first, each to the part that still wants most of it.
    """
    members_of = np.full(len(sizes), -1, np.int64)
    wanted = np.tile(counts.sum(axis=0) / parts, (parts, 1))  # (parts, classes)
    wanted_records = np.full(parts, sizes.sum() / parts)
    drawn = rng.permutation(len(sizes))  # among equals, chance decides
    while (left := members_of < 0).any():
        remaining = counts[left].sum(axis=0)
        rarest = int(np.where(remaining > 0, remaining, np.inf).argmin()) if remaining.any() else None
        own = counts[:, rarest] if rarest is not None else sizes
        mine = drawn[left[drawn] & (own[drawn] > 0)]
        for group in mine[np.argsort(-own[mine], kind="stable")]:
            wish = wanted[:, rarest] if rarest is not None else wanted_records
            part = int(np.lexsort((rng.random(parts), -wanted_records, -wish))[0])
            members_of[group] = part
            wanted[part] -= counts[group]
            wanted_records[part] -= sizes[group]
    return members_of


def strata(labels: NDArray[np.float32], *, smallest: int) -> Indices:
    """Return the class that each record is balanced by: its rarest label, where that has `smallest` records or more.

    Records of rarer classes make one stratum together, or join the largest if they are still fewer than `smallest`.
    """
    frequency = labels.sum(axis=0)
    chosen = np.where(labels > 0, frequency, np.inf).argmin(axis=1)
    size = np.bincount(chosen, minlength=labels.shape[1])
    rare = size[chosen] < smallest
    together = labels.shape[1] if rare.sum() >= smallest else int(size.argmax())
    return np.where(rare, together, chosen).astype(np.int64)
