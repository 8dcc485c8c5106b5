"""How weights move: AdamW or SGD, and the course of the learning rate over a fit, changed at each batch."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from ecgcore.parameters import Hyperparameters


def build_optimiser(weights: Iterable[nn.Parameter], settings: Hyperparameters) -> torch.optim.Optimizer:
    """Decay weight matrices only: shrinking biases and norms regularises nothing and slows the fit."""
    learning = [weight for weight in weights if weight.requires_grad]
    groups = [
        {"params": [weight for weight in learning if weight.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [weight for weight in learning if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=settings.learning_rate)
    return torch.optim.SGD(
        groups, lr=settings.learning_rate, momentum=settings.momentum, nesterov=settings.momentum > 0
    )


def build_schedule(optimiser: torch.optim.Optimizer, settings: Hyperparameters, *, batches: int) -> LRScheduler:
    """The schedule spans all `batches` of a fit (epochs x batches an epoch).

    cosine falls from the learning rate to zero; one_cycle (Smith 2018) rises to it over the first 30 %, then
    falls. It stretches with the fit's max_steps: a final that trains for fewer epochs than the search's fits
    runs through the whole course in those, and does not stop at a learning rate from its middle.
    """
    if settings.schedule == "cosine":
        return CosineAnnealingLR(optimiser, T_max=batches)
    # Cycling the momentum would put sgd's momentum hyperparameter out of force.
    return OneCycleLR(optimiser, max_lr=settings.learning_rate, total_steps=batches, cycle_momentum=False)
