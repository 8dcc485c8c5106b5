"""What an ensemble says of the records of a store: probabilities, and a table of them beside the labels."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.batches import by_length, gather
from ecgcore.data.inputs import charts_of
from ecgcore.data.store import SEPARATOR, Records
from ecgcore.serving.ensemble import Ensemble
from ecgcore.whole_files import replacing

Floats = NDArray[np.floating]


class Labelled(Protocol):
    """Records as far as a table of predictions tells of them."""

    @property
    def ids(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def patients(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def labels(self) -> NDArray[Any]: ...  # noqa: D102  (records, classes) 0 or 1


def predict_records(ensemble: Ensemble, records: Records) -> NDArray[np.float64]:
    """Probabilities of each member: (members, records, classes)."""
    answers = np.zeros((len(ensemble.members), len(records), len(ensemble.classes)))
    indices = np.arange(len(records))
    drawn = None if ensemble.charts is None else charts_of(records, ensemble.charts)
    for positions in by_length(records, indices):
        charts = None if drawn is None else gather(drawn, positions).signals
        answers[:, positions] = ensemble.by_member(*gather(records, positions), charts)
    return answers


def columns_of(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of an answer's columns: the classes' probabilities, and the decision."""
    return (*(f"probability_{name}" for name in classes), "decision")


def decisions(called: NDArray[np.bool_], classes: Sequence[str]) -> list[str]:
    """Return the classes called of each record (records, classes), joined by `;`."""
    return [SEPARATOR.join(np.asarray(classes)[row].tolist()) for row in called]


def write_predictions(
    path: Path, scores: Floats, called: NDArray[np.bool_], records: Labelled, classes: Sequence[str]
) -> None:
    """Write a row a record: record, patient, label_<class>, ..., probability_<class>, ..., decision.

    scores, called: (records, classes). The decision are the classes called, joined by `;`.
    """
    with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        decided = decisions(called, classes)
        writer.writerow(["record", "patient", *(f"label_{name}" for name in classes), *columns_of(classes)])
        for index, (name, patient) in enumerate(zip(records.ids, records.patients, strict=True)):
            labels, row = (int(label) for label in records.labels[index]), (f"{value:.6f}" for value in scores[index])
            writer.writerow([name, patient, *labels, *row, decided[index]])
