"""Losses: logits (batch, classes) and labels (batch, classes) of 0 and 1 in, the mean over the batch out."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ecgcore.parameters import Hyperparameters

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax cross-entropy; each row of labels holds exactly one 1."""
    return F.cross_entropy(logits, labels)


def weighted_bce(logits: Tensor, labels: Tensor, *, positive_weights: Tensor) -> Tensor:
    """Binary cross-entropy per class; a positive counts `positive_weights` (classes,) times."""
    return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=positive_weights)


def focal(logits: Tensor, labels: Tensor, *, gamma: float, alpha: float) -> Tensor:
    """Focal loss (Lin et al. 2017): alpha (1 - p)^gamma for positives, (1 - alpha) p^gamma for negatives.

    A larger alpha favours positives. The .25 of that paper was tuned for boxes, where gamma had silenced the
    negatives; rare ECG classes want more than .5.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    missed = torch.where(labels > 0.5, torch.sigmoid(-logits), torch.sigmoid(logits))
    weight = torch.where(labels > 0.5, alpha, 1.0 - alpha)
    return (weight * missed**gamma * entropy).mean()


def positive_weights(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Negatives per positive of each class in labels (records, classes); 1 for a class without positives."""
    positives = labels.sum(axis=0)
    return np.where(positives > 0, (len(labels) - positives) / np.maximum(positives, 1), 1.0).astype(np.float32)


def build_loss(
    settings: Hyperparameters, *, multilabel: bool, labels: NDArray[np.float32], device: torch.device
) -> Loss:
    """Choose the loss that `settings` names; `labels` (records, classes) are those of the train part.

    Raises ValueError where the loss does not fit the store's labels.
    """
    name = settings.loss if settings.loss != "auto" else ("weighted_bce" if multilabel else "cross_entropy")
    if (name == "cross_entropy") is multilabel:
        kind, fitting = ("several labels", "weighted_bce, focal") if multilabel else ("one label", "cross_entropy")
        raise ValueError(f"loss: the store's records have {kind} each, got {name}; use {fitting} or auto")
    if name == "cross_entropy":
        return cross_entropy
    if name == "focal":
        return lambda logits, truth: focal(logits, truth, gamma=settings.focal_gamma, alpha=settings.focal_alpha)
    weights = torch.from_numpy(positive_weights(labels)).to(device)
    return lambda logits, truth: weighted_bce(logits, truth, positive_weights=weights)
