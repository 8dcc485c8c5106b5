"""Early stopping: when a fit that no longer becomes better ends by itself. Its memory lies in the checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ecgcore.training.hyperparameters import Hyperparameters

Best = tuple[float | None, int]  # score and step


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How many epochs without a better score are borne, and which score that is."""

    epochs: int  # 0: any number
    score: str

    @classmethod
    def of(cls, settings: Hyperparameters, *, final: bool) -> Self:
        """Return a configuration's patience; a final has no validation part and trains for exactly its steps."""
        return cls(epochs=0 if final else settings.patience, score=settings.stop_on)

    def best(self, metrics: Mapping[str, float], step: int, *, before: Best) -> Best:
        """Return the best score and its step after `step`; of equal ones the earlier."""
        if not self.epochs:
            return None, 0
        value, (score, _) = metrics[self.score], before
        sign = -1.0 if self.score == "val_loss" else 1.0
        return (value, step) if score is None or sign * value > sign * score else before

    def is_over(self, step: int, *, best: int) -> bool:
        """Return whether a fit that has done `step` epochs, the best of them `best`, ends."""
        return bool(self.epochs) and step - best >= self.epochs
