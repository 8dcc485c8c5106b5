"""By how much two models differ on the records that both were tested on: record by record, resampled by patient."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from ecgcore.mistakes import Mistake
from ecgcore.scores.bootstrap import weighted_auc, weighted_f1
from ecgcore.scores.class_intervals import resampled
from ecgcore.scores.predicted import Predicted

Column = Callable[[Predicted, int, NDArray[np.float64]], NDArray[np.float64]]
SCORES: dict[str, Column] = {
    "macro_auc": lambda of, column, weights: weighted_auc(of.scores[:, column], of.labels[:, column] > 0.5, weights),
    "macro_f1": lambda of, column, weights: weighted_f1(of.called[:, column], of.labels[:, column] > 0.5, weights),
}


def paired_differences(one: Predicted, other: Predicted) -> dict[str, Any]:
    """Return how two models differ, as plain data: over which `classes`, `records`, `patients`, and by score how much.

    scores: by name `one`, `other`, `difference` (other minus one) and its 95 % interval `low`, `high`: Student's, of
    the spread over resamples of patients in which both are scored on the same records. Over the classes that both
    have. Raises ValueError where they have no class or no record in common, or a record is labelled in two ways.
    """
    names = [name for name in one.classes if name in other.classes]
    if not names:
        raise Mistake(f"they have no class in common: {', '.join(one.classes)}, and {', '.join(other.classes)}")
    ids, rows, others = np.intersect1d(np.array(one.ids), np.array(other.ids), return_indices=True)
    if not len(ids):
        raise Mistake(f"they were tested on other records, {one.ids[0]}, ... and {other.ids[0]}, ...")
    first, second = _columns(one.only(rows), names), _columns(other.only(others), names)
    if unlike := np.flatnonzero((first.labels != second.labels).sum(axis=1)).tolist():
        raise Mistake(f"the same records have other labels: {len(unlike)} of {len(ids)}, such as {ids[unlike[0]]}")
    weights, every = resampled(first.patients), np.ones((1, len(ids)))
    patients = len(set(first.patients))
    scores = {}
    for name, score in SCORES.items():
        mine, theirs = (float(_macro(score, of, every)[0]) for of in (first, second))
        if np.isfinite(mine) and np.isfinite(theirs):
            spread = _macro(score, second, weights) - _macro(score, first, weights)
            scores[name] = {"one": mine, "other": theirs, **_interval(theirs - mine, spread, patients)}
    return {"classes": names, "records": len(ids), "patients": patients, "scores": scores}


def _columns(of: Predicted, names: list[str]) -> Predicted:
    columns = [of.classes.index(name) for name in names]
    return Predicted(
        ids=of.ids,
        patients=of.patients,
        classes=tuple(names),
        labels=of.labels[:, columns],
        scores=of.scores[:, columns],
        called=of.called[:, columns],
    )


def _macro(score: Column, of: Predicted, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the classes that are defined, for each row of weights; NaN where none is."""
    values = np.stack([score(of, column, weights) for column in range(len(of.classes))])
    present = np.isfinite(values)
    count = present.sum(axis=0)
    return np.asarray(np.where(count > 0, np.where(present, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan))


def _interval(difference: float, spread: NDArray[np.float64], patients: int) -> dict[str, float]:
    usable = spread[np.isfinite(spread)]
    if patients < 2 or len(usable) < 2:
        return {"difference": difference}
    widened = float(usable.std(ddof=1)) * np.sqrt(patients / (patients - 1))  # as if resampled from n - 1
    reach = float(student.ppf(0.975, patients - 1) * widened)
    return {"difference": difference, "low": difference - reach, "high": difference + reach}
