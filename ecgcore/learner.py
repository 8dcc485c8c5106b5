"""A model in training: from records to logits, and what an epoch is. Knows nothing of files and folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from ecgcore.augmentation import Augmentation
from ecgcore.batches import by_length, gather, shuffled
from ecgcore.losses import Loss
from ecgcore.models import Classifier
from ecgcore.store import Records

Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Learner:
    """What an epoch needs. A frozen backbone stays in eval mode: its norms' statistics do not move either."""

    model: Classifier
    records: Records
    augmentation: Augmentation
    frozen: bool  # the backbone
    features: Tensor | None  # of all records, where they cannot change: frozen and no augmentation
    loss: Loss
    optimiser: torch.optim.Optimizer
    schedule: LRScheduler
    batch_size: int
    gradient_clip: float  # largest norm; 0: none
    device: torch.device

    def train_epoch(self, indices: Indices) -> float:
        """Train once on each record; return the mean loss, at once where it is not finite."""
        self._mode(training=True)
        total = torch.zeros((), device=self.device)
        for chosen in shuffled(indices, size=self.batch_size):
            loss = self.loss(self._training_logits(chosen), self._labels(chosen))
            self._move(loss)
            total += loss.detach() * len(chosen)
            if not torch.isfinite(total):
                return float("nan")
        return float(total) / len(indices)

    def predict(self, indices: Indices) -> tuple[NDArray[np.float32], float]:
        """Return logits (records, classes) in eval mode, and the mean loss."""
        self._mode(training=False)
        logits = torch.zeros(len(indices), self.records.labels.shape[1])
        total = 0.0
        with torch.no_grad():
            for positions in by_length(self.records, indices):
                batch = self._logits(indices[positions])
                logits[positions] = batch.cpu()
                total += float(self.loss(batch, self._labels(indices[positions]))) * len(positions)
        return logits.numpy(), total / len(indices)

    def _move(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        if self.gradient_clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_clip)
        self.optimiser.step()
        self.schedule.step()

    def _mode(self, *, training: bool) -> None:
        self.model.backbone.train(training and not self.frozen)
        self.model.head.train(training)

    def _labels(self, indices: Sequence[int] | Indices) -> Tensor:
        return torch.from_numpy(self.records.labels[indices]).to(self.device)

    def _training_logits(self, indices: Indices) -> Tensor:
        if self.features is not None or not self.augmentation.active:
            return self._logits(indices)
        shift = self.augmentation.shift
        batch = gather(self.records, indices, starts=self.augmentation.starts(len(indices)), shorter=shift)
        return self._forward(self.augmentation(batch.signals), batch.lengths)

    def _logits(self, indices: Indices) -> Tensor:
        if self.features is not None:
            return self.model.head(self.features[indices])  # type: ignore[no-any-return]  # untyped call
        return self._forward(*gather(self.records, indices))

    def _forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.model.features(signals.to(self.device), lengths)
        return self.model.head(features)  # type: ignore[no-any-return]  # untyped call
