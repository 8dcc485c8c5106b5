"""Scores of predictions: arrays (records, classes) in, flat named numbers out. Most are scikit-learn's."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_fscore_support, roc_auc_score

from ecgcore.mistakes import Mistake

Floats = NDArray[np.floating]
Booleans = NDArray[np.bool_]
BINS = 15  # of the calibration error, as in Guo et al. 2017
SMALLEST = float(
    np.finfo(np.float64).eps
)  # probability whose logarithm is taken: a sure mistake costs 36, not infinity


def decide(scores: Floats, *, multilabel: bool, thresholds: Sequence[float] = (0.5,)) -> Booleans:
    """Return which classes are called, of (records, classes).

    Several labels: all at or above their threshold. One label: the class of the largest probability over threshold,
    which with equal thresholds is the most probable.
    """
    if multilabel:
        return np.asarray(scores >= np.asarray(thresholds), bool)
    best = (scores / np.asarray(thresholds)).argmax(axis=1)
    return np.asarray(np.arange(scores.shape[1]) == best[:, None], bool)


def class_auc(scores: Floats, labels: Floats) -> NDArray[np.float64]:
    """Area under the ROC curve of each class; NaN where all records or none have it."""
    return _by_class(roc_auc_score, scores, labels)


def class_pr_auc(scores: Floats, labels: Floats) -> NDArray[np.float64]:
    """Average precision of each class (area under precision over recall); NaN where all records or none have it."""
    return _by_class(average_precision_score, scores, labels)


def class_precision_recall_f1(called: Booleans, labels: Floats) -> NDArray[np.float64]:
    """Precision, recall and F1 (3, classes); NaN where nothing is divided by nothing.

    F1 is 0 for a class that is called but has no records. Column by column: scikit-learn reads a single one as two
    classes.
    """
    truth = labels > 0.5
    rows = [
        precision_recall_fscore_support(truth[:, i], called[:, i], labels=[True], zero_division=np.nan)[:3]
        for i in range(labels.shape[1])
    ]
    return np.array(rows, np.float64).reshape(-1, 3).T


def class_f1(called: Booleans, labels: Floats) -> NDArray[np.float64]:
    """F1 of each class; 0 for a class that is called but has no records, NaN where there is neither."""
    return np.asarray(class_precision_recall_f1(called, labels)[2])


def macro_auc(scores: Floats, labels: Floats) -> float:
    """Mean area over the classes that some records have and some have not; ValueError if there is none."""
    areas = class_auc(scores, labels)
    if np.isnan(areas).all():
        raise Mistake(
            f"macro_auc: no class has both records with it and records without it, among {len(labels)}; "
            "make splits with more records"
        )
    return float(np.nanmean(areas))


def macro_f1(called: Booleans, labels: Floats) -> float:
    """Mean F1 over the classes that are present or called."""
    return _mean(class_f1(called, labels))


def accuracy(called: Booleans, labels: Floats) -> float:
    """Share of records whose every class is right (several labels: subset accuracy)."""
    return float((called == (labels > 0.5)).all(axis=1).mean())


def collapsed(called: Booleans) -> bool:
    """Whether every record is called the same: such a model has learnt nothing, whatever its accuracy."""
    return len(called) > 1 and bool((called == called[0]).all())


def calibration_error(scores: Floats, labels: Floats, *, multilabel: bool) -> float:
    """Expected calibration error: how far confidence and share of right answers are apart, over 15 bins of confidence.

    One label: of the most probable class. Several: of every class, averaged over the classes.
    """
    if not multilabel:
        best = scores.argmax(axis=1)
        return _gap(scores.max(axis=1), labels[np.arange(len(labels)), best])
    return float(np.mean([_gap(scores[:, i], labels[:, i]) for i in range(labels.shape[1])]))


def record_log_loss(scores: Floats, labels: Floats, *, multilabel: bool) -> NDArray[np.float64]:
    """Negative log likelihood of each record's labels: (records,); of several labels the mean over the classes."""
    inside = np.clip(np.asarray(scores, np.float64), SMALLEST, 1 - SMALLEST)
    if not multilabel:
        return np.asarray(-np.log(inside[np.arange(len(labels)), labels.argmax(axis=1)]))
    return np.asarray(-np.where(labels > 0.5, np.log(inside), np.log1p(-inside)).mean(axis=1))


def brier(scores: Floats, labels: Floats) -> float:
    """Mean squared distance of probability and label, over records and classes."""
    return float(np.square(np.asarray(scores, np.float64) - labels).mean())


def probability_scores(scores: Floats, labels: Floats, *, multilabel: bool) -> dict[str, float]:
    """Return what tells good probabilities from bad ones: log_loss, brier and calibration_error, small being good."""
    return {
        "calibration_error": calibration_error(scores, labels, multilabel=multilabel),
        "log_loss": float(record_log_loss(scores, labels, multilabel=multilabel).mean()),
        "brier": brier(scores, labels),
    }


def confusion(called: Booleans, labels: Floats) -> NDArray[np.int64]:
    """Records by true class (row) and called class (column), of one label each."""
    classes = np.arange(labels.shape[1])
    return np.asarray(confusion_matrix(labels.argmax(axis=1), called.argmax(axis=1), labels=classes), np.int64)


def summary(
    scores: Floats, called: Booleans, labels: Floats, *, multilabel: bool, classes: Booleans | None = None
) -> dict[str, float]:
    """Return SCORES; the macro scores are over `classes` (classes,), those that could be learnt, or over all.

    A macro score averages over the classes for which it is defined; where there is none it is 0, but for macro_auc,
    which raises ValueError.
    """
    chosen = slice(None) if classes is None else classes
    precision, recall, f1 = class_precision_recall_f1(called[:, chosen], labels[:, chosen])
    return {
        "macro_auc": macro_auc(scores[:, chosen], labels[:, chosen]),
        "macro_pr_auc": _mean(class_pr_auc(scores[:, chosen], labels[:, chosen])),
        "macro_f1": _mean(f1),
        "macro_precision": _mean(np.where(np.isnan(f1), np.nan, np.nan_to_num(precision))),
        "macro_recall": _mean(recall),
        "accuracy": accuracy(called, labels),
        **probability_scores(scores, labels, multilabel=multilabel),
        "collapsed": float(collapsed(called)),
    }


def _by_class(area: Callable[[Floats, Floats], float], scores: Floats, labels: Floats) -> NDArray[np.float64]:
    positives = labels.sum(axis=0)
    both = (positives > 0) & (positives < len(labels))
    return np.array(
        [area(labels[:, i], scores[:, i]) if both[i] else np.nan for i in range(labels.shape[1])],
        np.float64,
    )


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else 0.0


def _gap(confidence: Floats, right: Floats) -> float:
    index = np.minimum((confidence * BINS).astype(int), BINS - 1)
    claimed, true = (np.bincount(index, values, minlength=BINS) for values in (confidence, right))
    return float(np.abs(claimed - true).sum() / len(confidence))
