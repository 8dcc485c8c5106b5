"""A classifier: a backbone that turns a record into features, and a head that turns features into logits."""

from typing import Literal

from torch import Tensor, nn

from ecgcore.models.cnn1d import CNN1d
from ecgcore.models.heads import hidden_head, linear_head
from ecgcore.models.resnet_lstm import ResNetLSTM

SHORTEST = 16  # samples; below this the convolutions leave nothing to average


class Classifier(nn.Module):
    """`head(backbone(signals, lengths))`; the two halves are trained together or the head alone."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, classes).

        signals: (batch, leads, samples) in mV, whatever lies beyond a record's length is ignored.
        lengths: (batch,) int64 in samples, on the CPU. Raises ValueError if one is below 16.
        """
        return self.head(self.features(signals, lengths))  # type: ignore[no-any-return]  # untyped call

    def features(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return what the backbone makes of the signals: (batch, features)."""
        if int(lengths.min()) < SHORTEST:
            raise ValueError(
                f"a record must have at least {SHORTEST} samples, got {int(lengths.min())}; leave it out of the store"
            )
        return self.backbone(signals, lengths)  # type: ignore[no-any-return]  # untyped call


def build_classifier(
    name: Literal["cnn1d", "resnet_lstm"], *, leads: int, classes: int, dropout: float = 0.0
) -> Classifier:
    """Build a model with fresh weights drawn from torch's global generator."""
    if name == "cnn1d":
        head = hidden_head(CNN1d.features, hidden=64, classes=classes, dropout=dropout)
        return Classifier(CNN1d(leads), head)
    return Classifier(ResNetLSTM(leads), linear_head(ResNetLSTM.features, classes=classes, dropout=dropout))
