"""A model in training: from records to logits, and what an epoch is. Knows nothing of files and folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from ecgcore.data.batches import by_length, gather
from ecgcore.data.store import Records
from ecgcore.models.classifier import Classifier
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.losses import Loss
from ecgcore.training.optimisation import Plateau
from ecgcore.training.sampling import batched, drawn

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
    average: AveragedModel | None = None  # of the weights; it is scored and saved in the model's place
    weights: NDArray[np.float64] | None = None  # of the train part's records, where an epoch is drawn by them
    similar_lengths: bool = False  # within a batch
    half: bool = False  # whether training is in bfloat16 where autocast finds that safe
    learns: bool = True  # False: the weights are judged as they are
    parts: int = 1  # in which each batch is computed: norms see a part at a time, and mixup mixes within it

    @property
    def scored(self) -> Classifier:
        """The model that is judged, saved and served."""
        return self.model if self.average is None else self.average.module  # type: ignore[return-value]  # a copy of it

    def train_epoch(self, indices: Indices) -> float:
        """Train for one epoch; return the mean loss, at once where it is not finite."""
        self._mode(training=True)
        total = torch.zeros((), device=self.device)
        order = drawn(indices, weights=self.weights)
        lengths = self.records.lengths[order] if self.similar_lengths else None
        for chosen in batched(order, size=self.batch_size, lengths=lengths):
            total += self._move(chosen) * len(chosen)
            if not torch.isfinite(total):
                return float("nan")
        return float(total) / len(indices)

    def end_epoch(self, losses: Mapping[str, float]) -> None:
        """Tell a schedule that waits for a plateau how the epoch went."""
        if isinstance(self.schedule, Plateau):
            self.schedule.end_epoch(losses)

    def predict(self, indices: Indices) -> tuple[NDArray[np.float32], float]:
        """Return logits (records, classes) of the scored model in eval mode, and the mean loss, in float32."""
        self._mode(training=False)
        logits = torch.zeros(len(indices), self.records.labels.shape[1])
        total = 0.0
        with torch.no_grad():
            for positions in by_length(self.records, indices):
                batch = self._logits(self.scored, indices[positions])
                logits[positions] = batch.cpu()
                total += float(self.loss(batch, self._labels(indices[positions]))) * len(positions)
        return logits.numpy(), total / len(indices)

    def _move(self, chosen: Indices) -> Tensor:
        """Take one step of the optimiser on a batch; return its mean loss, without a graph."""
        self.optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.device)
        for part in np.array_split(chosen, min(self.parts, max(1, len(chosen) // 2))):  # a norm needs two records
            loss = self._training_loss(part) * (len(part) / len(chosen))
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            total += loss.detach()
        if self.gradient_clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_clip)
        self.optimiser.step()
        if not isinstance(self.schedule, Plateau):
            self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return total

    def _mode(self, *, training: bool) -> None:
        self.scored.eval()
        self.model.backbone.train(training and not self.frozen)
        self.model.head.train(training)

    def _labels(self, indices: Sequence[int] | Indices) -> Tensor:
        return torch.from_numpy(self.records.labels[indices]).to(self.device)

    def _training_loss(self, indices: Indices) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            logits, labels = self._training_logits(indices)
        return self.loss(logits.float(), labels)

    def _training_logits(self, indices: Indices) -> tuple[Tensor, Tensor]:
        labels = self._labels(indices)
        if self.features is not None or not self.augmentation.active:
            return self._logits(self.model, indices), labels
        starts, kept = self.augmentation.cut(self.records.lengths[indices])
        batch = gather(self.records, indices, starts=starts, lengths=kept)
        signals, lengths, labels = self.augmentation.mix(self.augmentation(batch.signals), batch.lengths, labels)
        return self._forward(self.model, signals, lengths), labels

    def _logits(self, model: Classifier, indices: Indices) -> Tensor:
        if self.features is not None:
            return model.head(self.features[indices])  # type: ignore[no-any-return]  # untyped call
        return self._forward(model, *gather(self.records, indices))

    def _forward(self, model: Classifier, signals: Tensor, lengths: Tensor) -> Tensor:
        signals = signals[..., : int(lengths.max())]  # two mixed records may both be shorter than the batch
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = model.features(signals.to(self.device), lengths)
        return model.head(features)  # type: ignore[no-any-return]  # untyped call
