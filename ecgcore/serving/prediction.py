"""What an ensemble says of the records of a store: probabilities, and a table of them beside the labels."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.batches import by_length, gather
from ecgcore.data.store import SEPARATOR, Records
from ecgcore.serving.ensemble import Ensemble
from ecgcore.whole_files import replacing

Floats = NDArray[np.floating]


def predict_records(ensemble: Ensemble, records: Records) -> NDArray[np.float64]:
    """Probabilities of each member: (members, records, classes)."""
    answers = np.zeros((len(ensemble.members), len(records), len(ensemble.classes)))
    indices = np.arange(len(records))
    for positions in by_length(records, indices):
        answers[:, positions] = ensemble.by_member(*gather(records, positions))
    return answers


def write_predictions(
    path: Path, scores: Floats, called: NDArray[np.bool_], records: Records, classes: Sequence[str]
) -> None:
    """Write a row a record: record, patient, label_<class>, ..., probability_<class>, ..., decision.

    scores, called: (records, classes). The decision are the classes called, joined by `;`.
    """
    with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns = [*(f"label_{name}" for name in classes), *(f"probability_{name}" for name in classes)]
        writer.writerow(["record", "patient", *columns, "decision"])
        for index, (name, patient) in enumerate(zip(records.ids, records.patients, strict=True)):
            labels, row = (int(label) for label in records.labels[index]), (f"{value:.6f}" for value in scores[index])
            decision = SEPARATOR.join(np.asarray(classes)[called[index]].tolist())
            writer.writerow([name, patient, *labels, *row, decision])
