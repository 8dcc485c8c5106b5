"""The records of a fit: what it learns from and what judges it, refused where either cannot do that."""

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.disjoint import assert_disjoint
from ecgcore.data.store import Split, Store, members_of
from ecgcore.fit import Fit
from ecgcore.mistakes import Mistake
from ecgcore.scores.metrics import macro_auc
from ecgcore.training.train_statistics import TrainingStatistics

Indices = NDArray[np.int64]


def choose_part(fit: Fit, store: Store) -> Split:
    """Return the fold's records; in a final, all to train on.

    Raises ValueError for a fold that cannot be judged, or whose train part has no record of some class.
    """
    if fit.final:
        everything = np.arange(len(store.records))
        _refuse_missing_class(everything, store, part="what a final is trained on")
        return Split(everything, np.zeros(0, np.int64))
    if not 0 <= fit.fold < len(store.splits):
        raise Mistake(f"fold must be from 0 to {len(store.splits) - 1}, as {store.directory} has them, got {fit.fold}")
    split = store.splits[fit.fold]
    parts = {"train": split.train, "validation": split.validation}
    assert_disjoint(
        {
            f"{name} of fold {fit.fold} of {store.directory}": members_of(store.records, held)
            for name, held in parts.items()
        }
    )
    _refuse_missing_class(split.train, store, part=f"train of fold {fit.fold}")
    labels = store.records.labels[split.validation]
    macro_auc(np.zeros_like(labels), labels)  # a fold that this cannot judge is better refused before it is trained
    return Split(split.train, split.validation)


def _refuse_missing_class(train: Indices, store: Store, *, part: str) -> None:
    """Raise ValueError naming the classes that no record of the train part has: their scores would be left out."""
    there = np.asarray((store.records.labels[train] > 0.5).any(axis=0))
    missing = [name for name, is_there in zip(store.classes, there.tolist(), strict=True) if not is_there]
    if missing:
        raise Mistake(
            f"{store.directory}: {part} has no record of {', '.join(missing)}, which cannot be learnt there: "
            "prepare the store with fewer or other folds, or with a label map without such classes"
        )


def refuse_judged(statistics: TrainingStatistics, store: Store, part: Split) -> None:
    """Raise ValueError if scale, classes or class weights were chosen by records that judge the fit, naming them."""
    held = part.validation[np.isin(store.records.fingerprints[part.validation], statistics.fingerprints)]
    if len(held):
        names = ", ".join(store.records.ids[index] for index in held[:5].tolist())
        raise Mistake(
            f"{store.directory}: normalisation, class weights and the classes that are scored must be chosen by the "
            f"train part alone, but {len(held)} validation records were looked at: {names}; measure the train part"
        )
