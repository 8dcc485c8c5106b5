"""How far a classifier's probabilities are off because it learnt from another mix of classes than there is.

Balanced sampling and class weights make rare classes more likely than they are. What that does to the log odds is
known, and can be taken back without looking at a prediction (Saerens, Latinne & Decaestecker 2002). Knows no model.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def prior_shift(
    labels: Floats, *, multilabel: bool, record_weights: Floats | None = None, class_weights: Floats | None = None
) -> NDArray[np.float64]:
    """What to add to a class's log probability (one label) or log odds (several labels): (classes,), 0 for nothing.

    labels: (records, classes) 0/1, of the records that were learnt from. record_weights: (records,) how often each was
    drawn. class_weights: (classes,) what a record of the class (several labels: a positive) counted in the loss.
    A class that no record has, or every record of several labels, is left as it is.
    """
    drawn = np.ones(len(labels)) if record_weights is None else np.asarray(record_weights, np.float64)
    counted = np.ones(labels.shape[1]) if class_weights is None else np.asarray(class_weights, np.float64)
    natural = labels.mean(axis=0, dtype=np.float64)
    learnt = drawn @ labels / drawn.sum()
    known = (natural > 0) & ((natural < 1) if multilabel else True)
    shift = np.zeros(labels.shape[1])
    if multilabel:
        odds, learnt_odds = (share[known] / (1 - share[known]) for share in (natural, learnt))
        shift[known] = np.log(odds) - np.log(learnt_odds * counted[known])
    else:
        weighed = learnt * counted
        shift[known] = np.log(natural[known]) - np.log(weighed[known] / weighed.sum())
    return np.where(np.abs(shift) < 1e-6, 0.0, shift)  # weights are of single precision: less than that is no shift
