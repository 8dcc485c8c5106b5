"""The scores in which a field gives its results, where a store's classes are those of the field.

Functions of calls, labels or scores alone; which of them apply is said by the names of the classes. Precision, recall,
F1 and PR-AUC of each class are in metrics.py, the challenge score of 2020 and 2021 in challenge_score.py.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.metrics import class_f1, confusion

Floats = NDArray[np.floating]
Booleans = NDArray[np.bool_]
RHYTHMS = ("N", "A", "O")  # of CinC 2017
NOISE = ("noise", "~")  # its fourth class, which counts in the others' errors alone
BEATS = ("N", "S", "V", "F", "Q")  # of the AAMI
# Beats of these classes, called so, are no error of that call: a fusion is half a ventricular beat, and of a beat that
# nobody can classify nobody knows better.
FORGIVEN = {"S": ("Q",), "V": ("F", "Q")}
CAPACITY = 0.05  # share of people whom the challenge of 2025 lets one test


def field_scores(
    scores: Floats, called: Booleans, labels: Floats, classes: Sequence[str], *, multilabel: bool
) -> dict[str, float]:
    """Return the scores of the fields whose classes these are, by name; NaN where nothing is divided by nothing.

    All arrays are (records, classes). top_5_percent_recall_CLASS: of one class or two, from 20 records on.
    cinc2017_f1: of N, A, O, with noise or without. sensitivity_CLASS and positive_predictivity_CLASS: of beats N, S, V,
    with F and Q or without. The latter two of one label each.
    """
    found: dict[str, float] = {}
    if not multilabel and set(RHYTHMS) <= set(classes) <= {*RHYTHMS, *NOISE}:
        found["cinc2017_f1"] = cinc2017_f1(called, labels, classes)
    if not multilabel and set(BEATS[:3]) <= set(classes) <= set(BEATS):
        for name, (sensitivity, predictivity) in aami_scores(confusion(called, labels), classes).items():
            found |= {f"sensitivity_{name}": sensitivity, f"positive_predictivity_{name}": predictivity}
    if len(classes) <= 2 and len(labels) * CAPACITY >= 1:  # the ill and the rest
        found |= {
            f"top_5_percent_recall_{name}": recall_at_capacity(scores[:, index], labels[:, index])
            for index, name in enumerate(classes)
        }
    return found


def cinc2017_f1(called: Booleans, labels: Floats, classes: Sequence[str]) -> float:
    """Mean F1 of normal rhythm, atrial fibrillation and other rhythm: the final score of the challenge of 2017.

    Clifford et al. 2017, AF classification from a short single lead ECG recording, Computing in Cardiology 44.
    """
    return float(np.mean([class_f1(called, labels)[list(classes).index(name)] for name in RHYTHMS]))


def aami_scores(counts: NDArray[np.int64], classes: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return each class's sensitivity and positive predictivity, from beats by true class (row) and called (column).

    ANSI/AAMI EC57, as de Chazal, O'Dwyer, Reilly 2004 apply it to these classes: unclassifiable beats called S or V,
    and fusions called V, do not count against the call.
    """
    found = {}
    for index, name in enumerate(classes):
        counted = [row for row, true in enumerate(classes) if true not in FORGIVEN.get(name, ())]
        right, there, called = counts[index, index], counts[index].sum(), counts[counted, index].sum()
        found[name] = (float(right / there) if there else np.nan, float(right / called) if called else np.nan)
    return found


def recall_at_capacity(scores: Floats, labels: Floats, *, capacity: float = CAPACITY) -> float:
    """Share of the ill, of (records,), who are among the share `capacity` of records with the largest scores.

    The score of the challenge of 2025 (Reyna et al. 2025, Detection of Chagas disease from the ECG, arXiv 2510.02202).
    Where equal scores lie across the bound, that is what is to be expected if chance chooses among them; the challenge
    estimates it by many orders drawn.
    """
    ill, places = labels > 0.5, int(capacity * len(labels) + 1e-9)
    if places == 0 or not ill.any():
        return np.nan
    bound = np.sort(scores)[-places]
    above, at_bound = scores > bound, scores == bound
    share = (places - above.sum()) / at_bound.sum()
    return float((ill[above].sum() + share * ill[at_bound].sum()) / ill.sum())
