"""How weights move: AdamW or SGD, the course of the learning rate over a fit, and the average of the weights."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau, StepLR
from torch.optim.swa_utils import AveragedModel

from ecgcore.training.hyperparameters import Hyperparameters


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


class Plateau(ReduceLROnPlateau):
    """Lowers the learning rate where a loss no longer falls: that of training, which a final has, too.

    With the validation loss in a search, a final, which holds nothing out, would run through another schedule; and what
    judges a fit would have a say in its weights. A fit that an earlier version began goes on by the loss of then.
    """

    follows = "train_loss"

    def state_dict(self) -> dict[str, Any]:
        """Return its memory, and what it follows."""
        return {**super().state_dict(), "follows": self.follows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a memory; one that does not say what it follows is of an earlier version."""
        super().load_state_dict({"follows": "val_loss", **state_dict})

    def end_epoch(self, losses: Mapping[str, float]) -> None:
        """Hear the losses of an epoch, by name; a final of an earlier version has that of training alone."""
        self.step(losses.get(self.follows, losses["train_loss"]))


def build_schedule(
    optimiser: torch.optim.Optimizer, settings: Hyperparameters, *, batches: int, epochs: int
) -> LRScheduler:
    """The schedule spans all `batches` of a fit's `epochs` and moves at each; a plateau moves at each epoch.

    cosine falls from the learning rate to zero, after a `warmup` and with `restarts` if asked; one_cycle (Smith 2018)
    rises to it over the first 30 %, then falls. These stretch with the fit's max_steps: a final that trains for fewer
    epochs than the search's fits runs through the whole course in those, and does not stop at a learning rate from
    its middle. step and plateau count epochs.
    """
    if settings.schedule == "plateau":
        # torch lowers after the epoch beyond its patience, and by its threshold overlooks small gains.
        return Plateau(optimiser, factor=settings.decay_factor, patience=settings.decay_epochs - 1, threshold=0.0)
    if settings.schedule == "step":
        every = settings.decay_epochs * max(batches // epochs, 1)
        return StepLR(optimiser, step_size=every, gamma=settings.decay_factor)
    if settings.schedule == "constant":
        return LambdaLR(optimiser, lambda batch: 1.0)
    if settings.schedule == "cosine":
        warm, cycles = round(settings.warmup * batches), settings.restarts + 1
        return LambdaLR(optimiser, lambda batch: cosine_factor(batch, batches=batches, warm=warm, cycles=cycles))
    # Cycling the momentum would put sgd's momentum hyperparameter out of force.
    return OneCycleLR(optimiser, max_lr=settings.learning_rate, total_steps=batches, cycle_momentum=False)


def cosine_factor(batch: int, *, batches: int, warm: int, cycles: int) -> float:
    """Share of the learning rate at `batch`: up in a line over `warm` batches, then `cycles` equal falls to zero."""
    if batch < warm:
        return (batch + 1) / (warm + 1)
    done = min((batch - warm) / max(batches - warm, 1), 1.0) * cycles
    within = done - math.floor(done) if done < cycles else 1.0
    return 0.5 * (1 + math.cos(math.pi * within))


def average_of(model: nn.Module, *, decay: float) -> AveragedModel:
    """Return a moving average of `model`'s weights and statistics, to be updated after each batch.

    Update n weighs at least 9 / (10 + n), so that the first weights, which know nothing, are soon forgotten.
    """

    def averaged(average: Tensor, now: Tensor, updates: Tensor | int) -> Tensor:
        count = int(updates)
        kept = min(decay, (1 + count) / (10 + count))
        return torch.lerp(average, now, 1 - kept) if average.is_floating_point() else now

    return AveragedModel(model, avg_fn=averaged, use_buffers=True)
