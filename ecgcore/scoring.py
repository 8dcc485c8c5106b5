"""What a test says: scores of averaged predictions, by record and by patient, with intervals, and a table of them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.atomic import replacing
from ecgcore.batches import by_length, gather
from ecgcore.bootstrap import interval, patient_weights, patients_of, weighted_auc, weighted_f1
from ecgcore.challenge_score import ChallengeScore
from ecgcore.metrics import (
    class_auc,
    class_pr_auc,
    class_precision_recall_f1,
    confusion,
    decide,
    macro_auc,
    macro_f1,
    summary,
)
from ecgcore.served import Ensemble
from ecgcore.store import Records

SEED = 20_030_501  # of the resamples: fixed, so that a score's interval is the same each time it is computed
Floats = NDArray[np.floating]


def predict_records(ensemble: Ensemble, records: Records) -> NDArray[np.float64]:
    """Calibrated probabilities of each member: (members, records, classes)."""
    answers = np.zeros((len(ensemble.members), len(records), len(ensemble.classes)))
    indices = np.arange(len(records))
    for positions in by_length(records, indices):
        answers[:, positions] = ensemble.by_member(*gather(records, positions))
    return answers


def score(
    ensemble: Ensemble, by_member: Floats, records: Records, *, challenge: ChallengeScore | None = None
) -> dict[str, float]:
    """Score the mean of (members, records, classes) against the labels; undefined values of a class are left out.

    The scores of `metrics.summary`, macro_auc and macro_f1 with _low and _high (95 %, by patient); auc_, pr_auc_,
    precision_, recall_ and f1_ of each class; challenge_score if asked for; of one label each confusion_TRUE_CALLED;
    patient_macro_auc and patient_macro_f1 where patients have several records; macro_auc_seed_1, ...
    Raises ValueError if no class has both records with it and records without it.
    """
    scores, labels = by_member.mean(axis=0), records.labels
    called = decide(scores, multilabel=ensemble.multilabel, thresholds=ensemble.thresholds)
    values = summary(scores, called, labels, multilabel=ensemble.multilabel)
    values |= _intervals(scores, called, records, values)
    precision, recall, f1 = class_precision_recall_f1(called, labels)
    for name, per_class in (
        ("auc", class_auc(scores, labels)),
        ("pr_auc", class_pr_auc(scores, labels)),
        ("precision", precision),
        ("recall", recall),
        ("f1", f1),
    ):
        values |= {f"{name}_{label}": float(value) for label, value in zip(ensemble.classes, per_class, strict=True)}
    if challenge is not None:
        values["challenge_score"] = challenge(called, labels)
    if not ensemble.multilabel:
        values |= _confusion(confusion(called, labels), ensemble.classes)
    values |= _by_patient(ensemble, scores, records)
    for number, member in enumerate(by_member, start=1):
        values[f"macro_auc_seed_{number}"] = macro_auc(member, labels)
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
        low, high = interval(by_class, score=values[name], patients=patients)
        bounds |= {f"{name}_low": low, f"{name}_high": high}
    return bounds


def _confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> dict[str, float]:
    return {
        f"confusion_{true}_{called}": float(counts[row, column])
        for row, true in enumerate(classes)
        for column, called in enumerate(classes)
    }


def _by_patient(ensemble: Ensemble, scores: Floats, records: Records) -> dict[str, float]:
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
    clear = np.full(len(names), True) if ensemble.multilabel else labels.sum(axis=1) == 1
    if not clear.any():
        return {"patients_scored": 0.0}
    called = decide(mean[clear], multilabel=ensemble.multilabel, thresholds=ensemble.thresholds)
    areas = class_auc(mean[clear], labels[clear])
    return {
        "patient_macro_auc": float(np.nanmean(areas)) if not np.isnan(areas).all() else np.nan,
        "patient_macro_f1": macro_f1(called, labels[clear]),
        "patients_scored": float(clear.sum()),
    }


def write_predictions(path: Path, scores: Floats, records: Records, classes: Sequence[str]) -> None:
    """Write a row a record: record, patient, label_<class>, ..., probability_<class>, ..."""
    with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            [
                "record",
                "patient",
                *(f"label_{name}" for name in classes),
                *(f"probability_{name}" for name in classes),
            ]
        )
        for name, patient, labels, row in zip(records.ids, records.patients, records.labels, scores, strict=True):
            writer.writerow([name, patient, *(int(label) for label in labels), *(f"{value:.6f}" for value in row)])
