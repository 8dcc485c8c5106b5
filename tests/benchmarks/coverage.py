"""How often a 95 % interval holds the truth: data drawn again and again from a population whose scores are known.

python -m tests.benchmarks.coverage
"""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.bootstrap import bootstrap_interval, patient_weights, patients_of, weighted_auc, weighted_f1
from ecgcore.scores.metrics import decide, macro_auc, macro_f1

CLASSES, DATASETS, RESAMPLES = 4, 1500, 200
Drawn = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]


def drawn(random: np.random.Generator, patients: int) -> Drawn:
    """Patients of one to three records, which share class and half of what misleads a model: owner, labels, scores."""
    owner = np.repeat(np.arange(patients), random.integers(1, 4, patients))
    classes = random.choice(CLASSES, p=[0.4, 0.3, 0.2, 0.1], size=patients)[owner]
    labels = np.eye(CLASSES, dtype=np.float32)[classes]
    misled = random.normal(0, 0.8, (patients, CLASSES))[owner] + random.normal(0, 0.8, (len(owner), CLASSES))
    return owner, labels, 1.5 * labels + misled


def coverage(patients: int, datasets: int) -> dict[str, float]:
    """Return for each score in which share of so many data sets its interval holds the population's."""
    random = np.random.default_rng(2026)
    _, labels, scores = drawn(random, 200_000)
    true = {"macro_auc": macro_auc(scores, labels), "macro_f1": macro_f1(decide(scores, multilabel=False), labels)}
    held = dict.fromkeys(true, 0)
    for number in range(datasets):
        for name, (low, high) in _intervals(drawn(random, patients), seed=number):
            held[name] += low <= true[name] <= high
    return {name: count / datasets for name, count in held.items()}


def _intervals(data: Drawn, *, seed: int) -> Iterator[tuple[str, tuple[float, float]]]:
    owner, labels, scores = data
    truth, called = labels > 0.5, decide(scores, multilabel=False)
    names = [str(name) for name in owner]
    weights, patients = patient_weights(names, seed=seed, resamples=RESAMPLES), patients_of(names, truth)
    areas = [weighted_auc(scores[:, i], truth[:, i], weights) for i in range(CLASSES)]
    yield "macro_auc", bootstrap_interval(areas, score=macro_auc(scores, labels), patients=patients)
    f1 = [weighted_f1(called[:, i], truth[:, i], weights) for i in range(CLASSES)]
    yield "macro_f1", bootstrap_interval(f1, score=macro_f1(called, labels), patients=patients)


def main() -> int:
    wrong = False
    for patients in (60, 120, 240):
        for name, share in coverage(patients, DATASETS).items():
            wrong |= not 0.93 <= share <= 0.97
            print(f"{patients:4} patients, {name}: {share:6.1%} of {DATASETS} intervals of 95 % hold the true score")
    if wrong:
        print("must be 93 to 97 %", file=sys.stderr)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
