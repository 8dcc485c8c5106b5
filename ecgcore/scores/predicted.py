"""Predictions of a test as they lie in predictions.csv, and their scores over some of the classes. Opens no store."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.scores.bootstrap import bootstrap_interval, patients_of, weighted_auc, weighted_f1
from ecgcore.scores.class_intervals import estimate, resampled
from ecgcore.scores.metrics import class_auc, class_f1, class_pr_auc, summary

LABEL, PROBABILITY, DECISION, SEPARATOR = "label_", "probability_", "decision", ";"
Chosen = NDArray[np.bool_]  # (classes,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicted:
    """What a model said of some records, beside what is true of them."""

    ids: tuple[str, ...]  # record names, n
    patients: tuple[str, ...]  # n
    classes: tuple[str, ...]
    labels: NDArray[np.float32]  # (n, classes) 0 or 1
    scores: NDArray[np.float64]  # (n, classes), probabilities
    called: NDArray[np.bool_]  # (n, classes), decisions

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `test` wrote, of any version. Raises ValueError for what is missing or is not that."""
        if not path.is_file():
            raise Mistake(f"{path}: no such file; `test` writes it, and without it a test cannot be scored again")
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            classes = [name.removeprefix(LABEL) for name in table.fieldnames or () if name.startswith(LABEL)]
            if not classes:
                raise Mistake(
                    f"{path}:1: must have a column {LABEL}CLASS for each class, as `test` writes it; got none"
                )
            try:
                rows = list(table)
                called = np.zeros((len(rows), len(classes)), np.bool_)
                for number, row in enumerate(rows):  # a decision for no class of it is damage, too
                    called[number, [classes.index(name) for name in row[DECISION].split(SEPARATOR) if name]] = True
                return cls(
                    ids=tuple(row["record"] for row in rows),
                    patients=tuple(row["patient"] for row in rows),
                    classes=tuple(classes),
                    labels=np.array([[float(row[LABEL + name]) for name in classes] for row in rows], np.float32),
                    scores=np.array([[float(row[PROBABILITY + name]) for name in classes] for row in rows], np.float64),
                    called=called,
                )
            except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
                raise Mistake(f"{path}:{table.line_num}: damaged ({error!r}); restore it from a copy") from None

    def only(self, chosen: NDArray[np.int64]) -> "Predicted":
        """Return some of the records, in this order."""
        return Predicted(
            ids=tuple(self.ids[index] for index in chosen.tolist()),
            patients=tuple(self.patients[index] for index in chosen.tolist()),
            classes=self.classes,
            labels=self.labels[chosen],
            scores=self.scores[chosen],
            called=self.called[chosen],
        )

    def among(self, classes: Sequence[str]) -> Chosen:
        """Return which columns are of these classes."""
        return np.array([name in classes for name in self.classes])


def scores_over(predicted: Predicted, classes: Sequence[str], *, multilabel: bool) -> dict[str, float]:
    """Return scores over some of the classes; what is undefined is left out.

    Those of `metrics.summary`, of which macro_auc and macro_f1 have _low and _high (95 %, by patient), auc_, pr_auc_
    and f1_ of each class, the first and the last with such an interval; and records and patients. Where a record has
    one label, another class may still be called, and that is wrong; where it may have several, what is said of other
    classes counts for nothing. Raises ValueError if no class has both records with it and records without it.
    """
    chosen, labels = predicted.among(classes), predicted.labels
    wide = np.ones_like(chosen) if not multilabel else chosen
    values = summary(
        predicted.scores[:, wide],
        predicted.called[:, wide],
        labels[:, wide],
        multilabel=multilabel,
        classes=chosen[wide],
    )
    values |= _with_intervals(predicted, np.flatnonzero(chosen), values)
    values |= {"records": float(len(predicted.ids)), "patients": float(len(set(predicted.patients)))}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _with_intervals(predicted: Predicted, columns: NDArray[np.int64], macro: dict[str, float]) -> dict[str, float]:
    weights, truth = resampled(predicted.patients), predicted.labels > 0.5
    areas, f1 = class_auc(predicted.scores, predicted.labels), class_f1(predicted.called, predicted.labels)
    precision = class_pr_auc(predicted.scores, predicted.labels)
    patients = patients_of(predicted.patients, truth)
    by_score = {
        "auc": {index: weighted_auc(predicted.scores[:, index], truth[:, index], weights) for index in columns},
        "f1": {index: weighted_f1(predicted.called[:, index], truth[:, index], weights) for index in columns},
    }
    values: dict[str, float] = {}
    for name, by_class in by_score.items():
        found = bootstrap_interval(
            list(by_class.values()), score=macro[f"macro_{name}"], patients=[patients[index] for index in columns]
        )
        values |= dict(zip((f"macro_{name}_low", f"macro_{name}_high"), found, strict=True))
    for index in columns:
        label = predicted.classes[index]
        values[f"pr_auc_{label}"] = float(precision[index])
        for name, score in (("auc", float(areas[index])), ("f1", float(f1[index]))):
            values[f"{name}_{label}"] = score
            one = estimate(score, by_score[name][index], patients[index])
            values |= {f"{name}_{label}_low": one.low, f"{name}_{label}_high": one.high}  # NaN where undefined
    return values
