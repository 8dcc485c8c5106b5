"""What is learnt from the train part before any weight is: its scale, its classes, and from whom. One door for both.

Whatever is chosen by looking at records (a normalisation, class weights, the classes that can be learnt) is chosen
here, and carries the fingerprints of those records, so that a fit can refuse what was chosen by its own judges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.store import Records


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingStatistics:
    """Facts about some records, and which records those are."""

    labels: NDArray[np.float32]  # (records, classes), in the order of the indices measured
    learnable: NDArray[np.bool_]  # (classes,) whether some record has the class
    mean: NDArray[np.float32]  # (leads,) in mV, over all samples
    deviation: NDArray[np.float32]  # (leads,) in mV
    fingerprints: NDArray[np.int64]  # sorted


def measure(records: Records, indices: NDArray[np.int64], *, scale: bool) -> TrainingStatistics:
    """Measure the records at `indices`; their signals are read only if their `scale` is asked for, else it is 0 and 1.

    Leads of zeros only are missing, and not counted in the scale of theirs.
    """
    mean, deviation = np.zeros(records.leads), np.ones(records.leads)
    if scale:
        mean, deviation = _scale(records, indices)
    labels = records.labels[indices]
    return TrainingStatistics(
        labels=labels,
        learnable=np.asarray((labels > 0.5).any(axis=0)),
        mean=mean.astype(np.float32),
        deviation=deviation.astype(np.float32),
        fingerprints=np.unique(records.fingerprints[indices]),
    )


def _scale(records: Records, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation a lead, each record's part added in double precision."""
    count, total, squares = (np.zeros(records.leads) for _ in range(3))
    for index in indices.tolist():
        signal = records.signal(index).astype(np.float64)
        count += signal.any(axis=1) * signal.shape[1]
        total += signal.sum(axis=1)
        squares += np.square(signal).sum(axis=1)
    seen = np.maximum(count, 1)
    mean = total / seen
    return mean, np.sqrt(np.maximum(squares / seen - mean**2, 0))
