"""Losses: logits (batch, classes) and labels (batch, classes) from 0 to 1 in, the mean over the batch out.

Labels are 0 and 1, and shares between where mixup has mixed records.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ecgcore.mistakes import Mistake
from ecgcore.training.hyperparameters import Hyperparameters

Loss = Callable[[Tensor, Tensor], Tensor]
SINGLE = ("cross_entropy", "weighted_cross_entropy", "focal", "weighted_focal")  # for one label a record
TINY = 1e-12  # of a share whose power is taken: at 0 some powers have no gradient
SEVERAL = ("bce", "weighted_bce", "focal", "asymmetric")


def cross_entropy(logits: Tensor, labels: Tensor, *, weights: Tensor | None = None) -> Tensor:
    """Softmax cross-entropy; each row of labels sums to 1. With `weights` (classes,) a class counts as often."""
    return F.cross_entropy(logits, labels, weight=weights)


def categorical_focal(logits: Tensor, labels: Tensor, *, gamma: float, weights: Tensor | None = None) -> Tensor:
    """Softmax cross-entropy of which a record counts (1 - p)^gamma, p being its own class's; `weights` as there."""
    surprise = F.log_softmax(logits, dim=1)
    found = -labels * (1 - surprise.exp()).clamp(min=TINY) ** gamma * surprise
    return (found if weights is None else found * weights).sum(dim=1).mean()


def bce(logits: Tensor, labels: Tensor, *, positive_weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy per class; a positive counts `positive_weights` (classes,) times."""
    return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=positive_weights)


def focal(logits: Tensor, labels: Tensor, *, gamma: float, alpha: float) -> Tensor:
    """Focal loss (Lin et al. 2017): alpha (1 - p)^gamma for positives, (1 - alpha) p^gamma for negatives.

    A larger alpha favours positives. The .25 of that paper was tuned for boxes, where gamma had silenced the
    negatives; rare ECG classes want more than .5.
    """
    positive = alpha * _power(-logits, gamma) * F.logsigmoid(logits)
    negative = (1.0 - alpha) * _power(logits, gamma) * F.logsigmoid(-logits)
    return -(labels * positive + (1 - labels) * negative).mean()


def asymmetric(logits: Tensor, labels: Tensor, *, positive: float, negative: float, margin: float) -> Tensor:
    """Asymmetric loss (Ridnik et al. 2021): (1 - p)^positive for positives; for negatives p loses `margin` first.

    A negative whose probability is below the margin costs nothing: it is surely right, or it is labelled wrongly.
    """
    shifted = torch.sigmoid(logits) - margin
    counts = shifted > 0
    shifted = torch.where(counts, shifted, 0.5)  # any value: a power of 0 has no gradient, and `counts` drops it below
    found = _power(-logits, positive) * F.logsigmoid(logits)
    refused = counts * shifted**negative * torch.log((1 - shifted).clamp(min=1e-8))
    return -(labels * found + (1 - labels) * refused).mean()


def _power(logits: Tensor, exponent: float) -> Tensor:
    """Return sigmoid(logits) to a power by its logarithm: of a sigmoid that is 0 it would have the gradient NaN."""
    return torch.exp(exponent * F.logsigmoid(logits))


def positive_weights(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Negatives per positive of each class in labels (records, classes); 1 for a class without positives."""
    positives = labels.sum(axis=0)
    return np.where(positives > 0, (len(labels) - positives) / np.maximum(positives, 1), 1.0).astype(np.float32)


def class_weights(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """One over each class's share in labels (records, classes), over the number of classes; 1 for one without records.

    With them all classes together count as much as without.
    """
    records = labels.sum(axis=0)
    present = int((records > 0).sum())
    return np.where(records > 0, len(labels) / np.maximum(records * present, 1), 1.0).astype(np.float32)


def build_loss(
    settings: Hyperparameters, *, multilabel: bool, labels: NDArray[np.float32], device: torch.device
) -> Loss:
    """Choose the loss that `settings` names; `labels` (records, classes) are those of the train part.

    Raises ValueError where the loss does not fit the store's labels.
    """
    name = _name(settings, multilabel)
    fitting = SEVERAL if multilabel else SINGLE
    if name not in fitting:
        kind = "several labels" if multilabel else "one label"
        raise Mistake(f"loss: the store's records have {kind} each, got {name}; use {', '.join(fitting)} or auto")
    if name == "cross_entropy":
        return cross_entropy
    counted = loss_weights(settings, multilabel=multilabel, labels=labels)
    weights = None if counted is None else torch.from_numpy(counted).to(device)
    if name in ("focal", "weighted_focal") and not multilabel:
        return lambda logits, truth: categorical_focal(logits, truth, gamma=settings.focal_gamma, weights=weights)
    if name == "weighted_cross_entropy":
        return lambda logits, truth: cross_entropy(logits, truth, weights=weights)
    if name == "bce":
        return bce
    if name == "focal":
        return lambda logits, truth: focal(logits, truth, gamma=settings.focal_gamma, alpha=settings.focal_alpha)
    if name == "asymmetric":
        gammas = {"positive": settings.asymmetric_positive, "negative": settings.asymmetric_negative}
        return lambda logits, truth: asymmetric(logits, truth, margin=settings.asymmetric_margin, **gammas)
    return lambda logits, truth: bce(logits, truth, positive_weights=weights)


def loss_weights(
    settings: Hyperparameters, *, multilabel: bool, labels: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Return what a record of each class (several labels: a positive) counts in the loss: (classes,); None: 1."""
    name = _name(settings, multilabel)
    if name in ("weighted_cross_entropy", "weighted_focal"):
        return class_weights(labels)
    return positive_weights(labels) if name == "weighted_bce" else None


def _name(settings: Hyperparameters, multilabel: bool) -> str:
    if settings.loss != "auto":
        return settings.loss
    return "weighted_bce" if multilabel else "cross_entropy"
