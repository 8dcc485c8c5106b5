"""Scores of predictions: arrays (records, classes) in, flat named numbers out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.floating]
Booleans = NDArray[np.bool_]


def decide(scores: Floats, *, multilabel: bool, thresholds: Sequence[float] = (0.5,)) -> Booleans:
    """Return which classes are called: all at or above their threshold (.5), or the one most probable."""
    if multilabel:
        return np.asarray(scores >= np.asarray(thresholds), bool)
    return np.asarray(np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None], bool)


def class_auc(scores: Floats, labels: Floats) -> NDArray[np.float64]:
    """Area under the ROC curve of each class; NaN where all records or none have it."""
    positives = labels.sum(axis=0)
    both = (positives > 0) & (positives < len(labels))
    return np.array(
        [roc_auc_score(labels[:, i], scores[:, i]) if both[i] else np.nan for i in range(labels.shape[1])],
        np.float64,
    )


def class_f1(called: Booleans, labels: Floats) -> NDArray[np.float64]:
    """F1 of each class; 0 for a class that is called but has no records, NaN where there is neither.

    By hand, as scikit-learn reads a single column as two classes.
    """
    truth = labels > 0.5
    both, either = 2.0 * (called & truth).sum(axis=0), called.sum(axis=0) + truth.sum(axis=0)
    values: NDArray[np.float64] = np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0)
    return values


def macro_auc(scores: Floats, labels: Floats) -> float:
    """Mean area over the classes that some records have and some have not; ValueError if there is none."""
    areas = class_auc(scores, labels)
    if np.isnan(areas).all():
        raise ValueError(
            f"macro_auc: no class has both records with it and records without it, among {len(labels)}; "
            "make splits with more records"
        )
    return float(np.nanmean(areas))


def macro_f1(called: Booleans, labels: Floats) -> float:
    """Mean F1 over the classes that are present or called."""
    values = class_f1(called, labels)
    return float(np.nanmean(values)) if not np.isnan(values).all() else 0.0


def accuracy(called: Booleans, labels: Floats) -> float:
    """Share of records whose every class is right (several labels: subset accuracy)."""
    return float((called == (labels > 0.5)).all(axis=1).mean())


def summary(scores: Floats, called: Booleans, labels: Floats) -> dict[str, float]:
    """Return macro_auc, macro_f1 and accuracy."""
    return {
        "macro_auc": macro_auc(scores, labels),
        "macro_f1": macro_f1(called, labels),
        "accuracy": accuracy(called, labels),
    }
