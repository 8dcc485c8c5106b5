"""Decision curves: what treating by a model is worth beside treating everybody, or nobody (Vickers, Elkin 2006)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def net_benefit(probability: Floats, truth: NDArray[np.bool_], thresholds: Floats) -> NDArray[np.float64]:
    """True positives less false ones at the odds of each threshold, as a share of all: (thresholds,).

    probability, truth: (records,). Whoever has a probability of at least the threshold is treated: the threshold says
    how many needless treatments one needed treatment is worth. Thresholds are below 1.
    """
    right = np.sort(probability[truth])
    wrong = np.sort(probability[~truth])
    true, false = (len(side) - np.searchsorted(side, thresholds, side="left") for side in (right, wrong))
    return np.asarray((true - false * thresholds / (1 - thresholds)) / len(probability), np.float64)


def benefit_of_treating_all(truth: NDArray[np.bool_], thresholds: Floats) -> NDArray[np.float64]:
    """Net benefit of treating everybody: (thresholds,); that of treating nobody is 0."""
    share = float(truth.mean())
    return np.asarray(share - (1 - share) * thresholds / (1 - thresholds), np.float64)
