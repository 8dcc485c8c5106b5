"""The K most frequent labels as the classes of a store, counted in train parts alone. Numbers in, numbers out.

Had validation or test records a say in what is asked of them, scores would be of a question that was chosen to suit.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.splits import Division
from ecgcore.data.store import Split
from ecgcore.data.stratify import Indices
from ecgcore.mistakes import Mistake


def most_frequent(
    labels: NDArray[np.float32], classes: Sequence[str], splits: Sequence[Split], count: int
) -> tuple[str, ...]:
    """Return the `count` classes that most train records have, the same ones in every fold, in their order.

    labels: (records, classes) 0/1 of every class. Of classes that equally many records of a fold have, the first counts
    as the more frequent. Raises ValueError where folds disagree, with what differs and which counts they agree on.
    """
    found = np.array([labels[split.train].sum(axis=0) for split in splits], np.int64)  # (folds, classes) records
    if count > (present := int((found > 0).sum(axis=1).min())):
        raise Mistake(
            f"--most-frequent must be at most what each train part has classes of ({present}), but got {count}"
        )
    ranked = np.argsort(-found, axis=1, kind="stable")
    chosen = _chosen(ranked, count)
    if (chosen != chosen[0]).any():
        agreed = [str(k) for k in range(2, present + 1) if not (_chosen(ranked, k) != _chosen(ranked, k)[0]).any()]
        differing = np.flatnonzero((chosen != chosen[0]).any(axis=0))
        raise Mistake(
            "--most-frequent must be a number for which the train parts of all folds have the same classes, or records "
            f"would choose classes in the fold that judges by them, but with {count} they differ: "
            + "; ".join(_difference(classes[int(one)], found[:, one], chosen[:, one]) for one in differing)
            + f"; they agree on {', '.join(agreed) or 'none'}; take one of these, or other folds (--folds, --seed)"
        )
    return tuple(name for name, wanted in zip(classes, chosen[0], strict=True) if wanted)


def without_others(division: Division, kept: NDArray[np.bool_]) -> Division:
    """Return a division less the records that are not `kept` (records,). Raises ValueError if a part is then empty."""

    def left(part: Indices) -> Indices:
        return part[kept[part]]

    splits = tuple(Split(left(split.train), left(split.validation)) for split in division.splits)
    parts = {f"validation of fold {fold}": split.validation for fold, split in enumerate(splits)}
    parts |= {"the test part": left(division.test)} if len(division.test) else {}
    if empty := [name for name, part in parts.items() if not len(part)]:
        raise Mistake(
            "--most-frequent must leave records in every part, but those of the classes that it names leave none in "
            f"{', '.join(empty)}; take a larger number"
        )
    return replace(division, test=left(division.test), splits=splits)


def _chosen(ranked: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return (folds, classes): whether a class is among the first `count` of a fold's ranking."""
    chosen = np.zeros(ranked.shape, bool)
    np.put_along_axis(chosen, ranked[:, :count], True, axis=1)
    return chosen


def _difference(name: str, found: NDArray[np.int64], chosen: NDArray[np.bool_]) -> str:
    folds = ", ".join(str(fold) for fold in np.flatnonzero(chosen))
    return f"{name} is one in folds {folds} ({', '.join(map(str, found))} train records, fold by fold)"
