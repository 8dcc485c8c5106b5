"""Whether what is said with probability p is right in a share p of the records: bins of a reliability diagram."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.class_intervals import Estimate, share_estimate
from ecgcore.scores.metrics import BINS

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Answers of like probability."""

    count: int
    claimed: float  # their mean probability
    right: Estimate  # share of them that are right


def reliability_bins(claimed: Floats, right: NDArray[np.bool_], patients: Sequence[str], weights: Floats) -> list[Bin]:
    """Return the filled ones of the calibration error's equal bins of probability, from the lowest on.

    claimed, right: (records, answers); patients: whose each record is; weights: (resamples, records). The mean of
    |claimed - right|, each bin counting as often as it has answers, is the calibration error of one answer a record.
    """
    numbers = np.minimum((claimed * BINS).astype(int), BINS - 1)
    bins = []
    for number in np.unique(numbers):
        there = numbers == number
        answers, rightly = there.sum(axis=1), (there & right).sum(axis=1)
        share = share_estimate(rightly, answers, patients, weights)
        bins.append(Bin(count=int(answers.sum()), claimed=float(claimed[there].mean()), right=share))
    return bins
