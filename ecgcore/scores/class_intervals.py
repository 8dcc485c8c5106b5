"""How sure each class's scores are: 95 % intervals by patient, perfect scores included. Arrays in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.bootstrap import (
    RESAMPLES,
    bootstrap_interval,
    patient_weights,
    patients_of,
    weighted_auc,
    weighted_f1,
    weighted_precision_recall_area,
    weighted_share,
)
from ecgcore.scores.metrics import class_auc, class_pr_auc, class_precision_recall_f1

MANY, FEW_RESAMPLES = 5_000, 200  # records from which on resamples are fewer: each tells the more, and costs the more
SEED = 20_030_501  # as of the test's own intervals, so that the same score has the same interval
NAMES = ("AUC", "PR-AUC", "precision", "sensitivity", "specificity", "F1")
Floats = NDArray[np.floating]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A score and its 95 % interval; NaN where either is undefined."""

    value: float
    low: float = np.nan
    high: float = np.nan


def resampled(patients: Sequence[str]) -> NDArray[np.float64]:
    """Return how often each record counts in each resample of the patients: (resamples, records)."""
    return patient_weights(patients, seed=SEED, resamples=FEW_RESAMPLES if len(patients) > MANY else RESAMPLES)


def estimate(score: float, values: Floats, patients: int) -> Estimate:
    """Return the score with the interval of its values in resamples, which may be NaN.

    patients: how many the score is about. Where it is 0 or 1 resamples do not spread: the interval is then Clopper and
    Pearson's, of as many patients all of whom are wrong, or right.
    """
    if np.isnan(score) or patients < 1:
        return Estimate(value=score)
    if score in (0.0, 1.0):
        beyond = 0.025 ** (1 / patients)
        return Estimate(value=score, low=beyond if score else 0.0, high=1.0 if score else 1 - beyond)
    if patients == 1:  # whose resamples say nothing of other patients
        return Estimate(value=score)
    low, high = bootstrap_interval([np.asarray(values)], score=score, patients=[patients])
    return Estimate(value=score, low=low, high=high)


def share_estimate(part: NDArray[Any], whole: NDArray[Any], patients: Sequence[str], weights: Floats) -> Estimate:
    """Return the share of `whole` that is `part`: of each record, how many answers of either it has; (records,)."""
    patients_there = len(np.unique(np.asarray(patients)[whole > 0]))
    share = float(part.sum() / whole.sum()) if patients_there else np.nan
    return estimate(share, weighted_share(part, whole, weights), patients_there)


def class_estimates(
    scores: Floats, called: Booleans, labels: Floats, patients: Sequence[str], weights: Floats
) -> list[dict[str, Estimate]]:
    """Return of each class the scores of NAMES; scores, called, labels are (records, classes).

    A perfect area is about as many patients as there are disjoint pairs of one with the class and one without.
    """
    truth = labels > 0.5
    there, away = patients_of(patients, truth), patients_of(patients, ~truth)
    areas, pr_areas = class_auc(scores, labels), class_pr_auc(scores, labels)
    f1 = class_precision_recall_f1(called, labels)[2]
    found = []
    for index, (column, score, call) in enumerate(zip(truth.T, scores.T, called.T, strict=True)):
        pairs = min(there[index], away[index])
        known = {
            "AUC": (areas[index], weighted_auc(score, column, weights), pairs),
            "PR-AUC": (pr_areas[index], weighted_precision_recall_area(score, column, weights), pairs),
            "F1": (f1[index], weighted_f1(call, column, weights), there[index]),
        }
        shares = {
            "precision": share_estimate(call & column, call, patients, weights),
            "sensitivity": share_estimate(call & column, column, patients, weights),
            "specificity": share_estimate(~call & ~column, ~column, patients, weights),
        }
        several = {
            name: estimate(float(value), values, there[index] if 0 < value < 1 else count)
            for name, (value, values, count) in known.items()
        }
        found.append({name: (several | shares)[name] for name in NAMES})
    return found


def macro_estimates(
    scores: Floats, called: Booleans, labels: Floats, patients: Sequence[str], weights: Floats
) -> tuple[Estimate, Estimate]:
    """Return macro-AUC, over the classes that some have and some have not, and macro-F1, over those that there are."""
    truth = labels > 0.5
    areas, f1 = class_auc(scores, labels), class_precision_recall_f1(called, labels)[2]
    mixed, there = np.flatnonzero(~np.isnan(areas)), np.flatnonzero(~np.isnan(f1))
    counts = np.array(patients_of(patients, truth))
    by_area = [weighted_auc(scores[:, index], truth[:, index], weights) for index in mixed]
    by_f1 = [weighted_f1(called[:, index], truth[:, index], weights) for index in there]
    return _macro(areas[mixed], by_area, counts[mixed]), _macro(f1[there], by_f1, counts[there])


def _macro(values: Floats, by_class: Sequence[Floats], patients: NDArray[np.integer]) -> Estimate:
    if not len(values):
        return Estimate(value=np.nan)
    score, counts = float(values.mean()), [int(count) for count in patients]
    if score in (0.0, 1.0):
        return estimate(score, by_class[0], max(1, min(counts)))
    low, high = bootstrap_interval([np.asarray(column) for column in by_class], score=score, patients=counts)
    return Estimate(value=score, low=low, high=high)
