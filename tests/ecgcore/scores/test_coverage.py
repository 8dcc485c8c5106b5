"""How often a 95 % interval holds the truth: data drawn again and again from a population whose scores are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.scores.bootstrap import bootstrap_interval, patient_weights, patients_of, weighted_auc, weighted_f1
from ecgcore.scores.metrics import decide, macro_auc, macro_f1

CLASSES, DATASETS, RESAMPLES = 4, 1500, 200


def drawn(
    random: np.random.Generator, patients: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]:
    """Patients of one to three records, which share class and half of what misleads a model: owner, labels, scores."""
    owner = np.repeat(np.arange(patients), random.integers(1, 4, patients))
    classes = random.choice(CLASSES, p=[0.4, 0.3, 0.2, 0.1], size=patients)[owner]
    labels = np.eye(CLASSES, dtype=np.float32)[classes]
    misled = random.normal(0, 0.8, (patients, CLASSES))[owner] + random.normal(0, 0.8, (len(owner), CLASSES))
    return owner, labels, 1.5 * labels + misled


@pytest.mark.parametrize("patients", [60, 120, 240])
def test_the_interval_of_95_percent_holds_the_true_score_in_93_to_97_percent_of_data_sets(patients):
    random = np.random.default_rng(2026)
    _, labels, scores = drawn(random, 200_000)
    true = {"macro_auc": macro_auc(scores, labels), "macro_f1": macro_f1(decide(scores, multilabel=False), labels)}
    held = dict.fromkeys(true, 0)
    for number in range(DATASETS):
        owner, labels, scores = drawn(random, patients)
        truth, called = labels > 0.5, decide(scores, multilabel=False)
        weights = patient_weights([str(name) for name in owner], seed=number, resamples=RESAMPLES)
        resampled = {
            "macro_auc": [weighted_auc(scores[:, i], truth[:, i], weights) for i in range(CLASSES)],
            "macro_f1": [weighted_f1(called[:, i], truth[:, i], weights) for i in range(CLASSES)],
        }
        found = {"macro_auc": macro_auc(scores, labels), "macro_f1": macro_f1(called, labels)}
        for name, by_class in resampled.items():
            low, high = bootstrap_interval(
                by_class, score=found[name], patients=patients_of([str(name) for name in owner], truth)
            )
            held[name] += low <= true[name] <= high
    for name, count in held.items():
        assert 0.93 <= count / DATASETS <= 0.97, (name, count / DATASETS)
