"""Which answers were wrong, the most confident first. Arrays in, records out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WRONG_DRAWN = 8
Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class WrongAnswer:
    """One record that got a wrong answer."""

    index: int
    class_index: int  # of one label, the class that was called; of several, the one that is most wrong
    claimed: float  # probability of what was answered: that the class is there or, of several labels, that it is not


def wrong_answers(
    scores: Floats, called: NDArray[np.bool_], labels: Floats, patients: Sequence[str], *, multilabel: bool
) -> list[WrongAnswer]:
    """Return of each patient the most confident wrong answer, ordered by its probability; all (records, classes).

    One label: how probable the wrong class was said to be. Several: of the classes that are wrongly called, or wrongly
    not, the one whose answer was said to be most probable.
    """
    truth = labels > 0.5
    wrong = (called != truth) if multilabel else (called & ~truth)
    claimed = np.where(wrong, np.where(called, scores, 1 - scores), -1.0)
    worst = claimed.argmax(axis=1)
    confidence = claimed[np.arange(len(claimed)), worst]
    found: dict[str, WrongAnswer] = {}
    for index in np.argsort(-confidence, kind="stable").tolist():
        if confidence[index] < 0:
            break
        answer = WrongAnswer(index=index, class_index=int(worst[index]), claimed=float(confidence[index]))
        found.setdefault(patients[index], answer)
    return list(found.values())
