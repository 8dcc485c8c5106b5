"""What a test says: scores of averaged predictions, with intervals by patient, and a table of predictions."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.atomic import replacing
from ecgcore.batches import by_length, gather
from ecgcore.bootstrap import interval, patient_weights, weighted_auc, weighted_f1
from ecgcore.metrics import class_auc, class_f1, decide, macro_auc, summary
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


def score(ensemble: Ensemble, by_member: Floats, records: Records) -> dict[str, float]:
    """Score the mean of (members, records, classes) against the labels; undefined values are left out.

    macro_auc, macro_f1 with _low and _high (95 %, by patient), accuracy, auc_ and f1_ of each class,
    macro_auc_seed_1, ...
    """
    scores, labels = by_member.mean(axis=0), records.labels
    called = decide(scores, multilabel=ensemble.multilabel, thresholds=ensemble.thresholds)
    values = summary(scores, called, labels) | _intervals(scores, called, records)
    for name, per_class in (("auc", class_auc(scores, labels)), ("f1", class_f1(called, labels))):
        values |= {f"{name}_{label}": float(value) for label, value in zip(ensemble.classes, per_class, strict=True)}
    for number, member in enumerate(by_member, start=1):
        values[f"macro_auc_seed_{number}"] = macro_auc(member, labels)
    values |= {"records": float(len(records)), "patients": float(len(set(records.patients)))}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _intervals(scores: Floats, called: NDArray[np.bool_], records: Records) -> dict[str, float]:
    weights, truth = patient_weights(records.patients, seed=SEED), records.labels > 0.5
    classes = range(truth.shape[1])
    auc = interval([weighted_auc(scores[:, index], truth[:, index], weights) for index in classes])
    f1 = interval([weighted_f1(called[:, index], truth[:, index], weights) for index in classes])
    return dict(zip(("macro_auc_low", "macro_auc_high", "macro_f1_low", "macro_f1_high"), (*auc, *f1), strict=True))


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
