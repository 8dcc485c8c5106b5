"""Score against coverage: how good the answers are if the model may leave its least confident ones to a person.

A curve over all records, in place of a score over those that a model found easy.
"""

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.metrics import accuracy, class_f1

COVERAGES = (0.95, 0.9, 0.8, 0.7, 0.5)  # shares of the records that are answered

Floats = NDArray[np.floating]


def rejection_curve(scores: Floats, called: NDArray[np.bool_], labels: Floats) -> dict[str, float]:
    """Return macro_f1_at_coverage_95, accuracy_at_coverage_95, ... of one label each, (records, classes) all three.

    Answered are the records whose class that is called has the largest probabilities; of equal ones the first. The mean
    is over the classes of all records: one of which no record is answered counts 0, so that a class that is hard cannot
    leave it. At full coverage they are macro_f1 and accuracy.
    """
    curve: dict[str, float] = {}
    for coverage in COVERAGES:
        percent, (f1, right) = f"{100 * coverage:.0f}", at_coverage(scores, called, labels, coverage)
        curve |= {f"macro_f1_at_coverage_{percent}": f1, f"accuracy_at_coverage_{percent}": right}
    return curve


def at_coverage(scores: Floats, called: NDArray[np.bool_], labels: Floats, coverage: float) -> tuple[float, float]:
    """Return macro-F1 and accuracy where this share of the records is answered: see `rejection_curve`."""
    there = np.asarray(labels).any(axis=0)
    order = np.argsort(-np.asarray(scores)[called], kind="stable")
    answered = order[: max(1, round(coverage * len(order)))]
    f1 = class_f1(called[answered], labels[answered])
    return float(np.nan_to_num(f1[there]).mean()), accuracy(called[answered], labels[answered])
