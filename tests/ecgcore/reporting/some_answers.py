"""A test's answers by hand."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ecgcore.reporting.tested_files import Tested


def some_answers(
    *,
    records: int = 60,
    multilabel: bool = False,
    classes: tuple[str, ...] = ("A", "B", "C"),
    about: Mapping[str, Mapping[str, str]] | None = None,
) -> Tested:
    """Answers that are mostly right; two records a patient."""
    random, number = np.random.default_rng(0), len(classes)
    labels = np.eye(number, dtype=np.float32)[np.arange(records) % number]
    if multilabel:
        labels = np.maximum(labels, labels[random.permutation(records)])
    raw = np.exp(2 * labels + random.normal(0, 1, labels.shape))
    scores = np.round(raw / (raw + 3) if multilabel else raw / raw.sum(axis=1, keepdims=True), 6)
    return Tested(
        records=tuple(f"r{index}" for index in range(records)),
        patients=tuple(f"p{index // 2}" for index in range(records)),
        classes=classes,
        labels=labels,
        scores=scores,
        called=scores >= 0.5 if multilabel else np.eye(number, dtype=bool)[scores.argmax(axis=1)],
        multilabel=multilabel,
        about=about or {},
    )


def as_left_by_an_earlier_version(answers: Tested, folder: Path) -> Path:
    """Write predictions.csv, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        rows, classes = csv.writer(file), answers.classes
        rows.writerow(
            ["record", "patient", *(f"label_{c}" for c in classes), *(f"probability_{c}" for c in classes), "decision"]
        )
        for index, name in enumerate(answers.records):
            decision = ";".join(np.array(classes)[answers.called[index]])
            labels, scores = answers.labels[index].astype(int), (f"{score:.6f}" for score in answers.scores[index])
            rows.writerow([name, answers.patients[index], *labels, *scores, decision])
    return folder
