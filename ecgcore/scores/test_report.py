"""What a test says: scores of averaged predictions, by record and by patient, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.store import Records
from ecgcore.scores.bootstrap import bootstrap_interval, patient_weights, patients_of, weighted_auc, weighted_f1
from ecgcore.scores.calibration import Calibration
from ecgcore.scores.challenge_score import ChallengeScore
from ecgcore.scores.field_scores import field_scores
from ecgcore.scores.metrics import (
    class_auc,
    class_pr_auc,
    class_precision_recall_f1,
    confusion,
    decide,
    macro_f1,
    probability_scores,
    summary,
)
from ecgcore.scores.rejection import rejection_curve
from ecgcore.scores.seed_spread import seed_spread

SEED = 20_030_501  # of the resamples: fixed, so that a score's interval is the same each time it is computed
Floats = NDArray[np.floating]


class Question(Protocol):
    """What is asked of a record, and how answers are averaged and decided."""

    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def multilabel(self) -> bool: ...  # noqa: D102
    @property
    def calibration(self) -> Calibration: ...  # noqa: D102  of the mean


def score(
    question: Question, by_member: Floats, records: Records, *, challenge: ChallengeScore | None = None
) -> dict[str, float]:
    """Score the calibrated mean of (members, records, classes) against labels; what is undefined is left out.

    The scores of `metrics.summary`, macro_auc and macro_f1 with _low and _high (95 %, by patient); auc_, pr_auc_,
    precision_, recall_ and f1_ of each class; those of `field_scores`; challenge_score if asked for; of one label each
    confusion_TRUE_CALLED and the `rejection_curve`; patient_macro_auc and patient_macro_f1 where patients have several
    records; the `seed_spread`; temperature, threshold_CLASS, and uncalibrated_log_loss, _brier, _calibration_error: of
    the mean as it was before.
    Raises ValueError if no class has both records with it and records without it.
    """
    mean, labels = by_member.mean(axis=0), records.labels
    scores = question.calibration(mean, multilabel=question.multilabel)
    called = decide(scores, multilabel=question.multilabel, thresholds=question.calibration.thresholds)
    values = summary(scores, called, labels, multilabel=question.multilabel)
    values |= _intervals(scores, called, records, values)
    precision, recall, f1 = class_precision_recall_f1(called, labels)
    for name, per_class in (
        ("auc", class_auc(scores, labels)),
        ("pr_auc", class_pr_auc(scores, labels)),
        ("precision", precision),
        ("recall", recall),
        ("f1", f1),
    ):
        values |= {f"{name}_{label}": float(value) for label, value in zip(question.classes, per_class, strict=True)}
    values |= field_scores(scores, called, labels, question.classes, multilabel=question.multilabel)
    if challenge is not None:
        values["challenge_score"] = challenge(called, labels)
    if not question.multilabel:
        values |= _confusion(confusion(called, labels), question.classes) | rejection_curve(scores, called, labels)
    values |= _by_patient(question, scores, records)
    values |= seed_spread(by_member, labels, multilabel=question.multilabel)
    before = probability_scores(mean, labels, multilabel=question.multilabel)
    values |= {f"uncalibrated_{name}": value for name, value in before.items()}
    values |= {
        f"threshold_{name}": at for name, at in zip(question.classes, question.calibration.thresholds, strict=True)
    }
    values |= {"temperature": question.calibration.temperature}
    values |= {"records": float(len(records)), "patients": float(len(set(records.patients)))}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _intervals(
    scores: Floats, called: NDArray[np.bool_], records: Records, values: Mapping[str, float]
) -> dict[str, float]:
    weights, truth = patient_weights(records.patients, seed=SEED), records.labels > 0.5
    classes, patients = range(truth.shape[1]), patients_of(records.patients, truth)
    resampled = {
        "macro_auc": [weighted_auc(scores[:, index], truth[:, index], weights) for index in classes],
        "macro_f1": [weighted_f1(called[:, index], truth[:, index], weights) for index in classes],
    }
    bounds: dict[str, float] = {}
    for name, by_class in resampled.items():
        low, high = bootstrap_interval(by_class, score=values[name], patients=patients)
        bounds |= {f"{name}_low": low, f"{name}_high": high}
    return bounds


def _confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> dict[str, float]:
    return {
        f"confusion_{true}_{called}": float(counts[row, column])
        for row, true in enumerate(classes)
        for column, called in enumerate(classes)
    }


def _by_patient(question: Question, scores: Floats, records: Records) -> dict[str, float]:
    """Score patients: their records' mean probabilities against the labels that any of their records has.

    Patients whose records exclude each other's label (one label each) have no answer, and are left out.
    """
    names, owner = np.unique(np.asarray(records.patients), return_inverse=True)
    if len(names) == len(records):
        return {}
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, owner, scores)
    mean, labels = sums / np.bincount(owner)[:, None], np.zeros_like(sums, dtype=np.float32)
    np.maximum.at(labels, owner, records.labels)
    clear = np.full(len(names), True) if question.multilabel else labels.sum(axis=1) == 1
    if not clear.any():
        return {"patients_scored": 0.0}
    called = decide(mean[clear], multilabel=question.multilabel, thresholds=question.calibration.thresholds)
    areas = class_auc(mean[clear], labels[clear])
    return {
        "patient_macro_auc": float(np.nanmean(areas)) if not np.isnan(areas).all() else np.nan,
        "patient_macro_f1": macro_f1(called, labels[clear]),
        "patients_scored": float(clear.sum()),
    }
