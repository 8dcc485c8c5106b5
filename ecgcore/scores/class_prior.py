"""What is said of a record whose signal nobody has looked at: how frequent each class is. The score to be beaten."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.calibration import Calibration

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class ClassPrior:
    """The same answer to every record."""

    classes: tuple[str, ...]
    multilabel: bool
    frequencies: tuple[float, ...]  # one a class

    @classmethod
    def of(cls, labels: Floats, *, classes: tuple[str, ...], multilabel: bool) -> Self:
        """Count the labels (records, classes) 0/1 of the records that a final would learn from."""
        return cls(
            classes=classes, multilabel=multilabel, frequencies=tuple(labels.mean(axis=0, dtype=np.float64).tolist())
        )

    @property
    def calibration(self) -> Calibration:
        """Nothing to put right. Of several labels all are called, which is what has the largest F1."""
        classes = len(self.classes)
        return Calibration(thresholds=self.frequencies) if self.multilabel else Calibration.none(classes)

    def by_member(self, records: int) -> NDArray[np.float64]:
        """Return probabilities as an ensemble of one would: (1, records, classes)."""
        return np.tile(np.array(self.frequencies), (1, records, 1))
