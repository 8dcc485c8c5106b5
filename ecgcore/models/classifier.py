"""A classifier: a normalisation, a backbone that turns a record into features, a head that turns those into logits."""

from typing import Literal

from torch import Tensor, nn

from ecgcore.models.heads import hidden_head, linear_head
from ecgcore.models.networks.cnn1d import CNN1d
from ecgcore.models.networks.resnet1d import ResNet1d
from ecgcore.models.networks.resnet_lstm import ResNetLSTM
from ecgcore.models.normalisation import AsItIs, build_normalisation

SHORTEST = 16  # samples; below this the convolutions leave nothing to average


class Classifier(nn.Module):
    """`head(backbone(normalisation(signals), lengths))`; backbone and head are trained together, or the head alone."""

    def __init__(self, backbone: nn.Module, head: nn.Module, normalisation: nn.Module | None = None) -> None:
        super().__init__()
        self.normalisation = normalisation or AsItIs()
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
        return self.backbone(self.normalisation(signals, lengths), lengths)  # type: ignore[no-any-return]  # untyped call


def build_classifier(
    name: Literal["cnn1d", "resnet1d", "resnet_lstm"],
    *,
    leads: int,
    classes: int,
    dropout: float = 0.0,
    normalise: Literal["none", "record", "train"] = "none",
) -> Classifier:
    """Build a model with fresh weights drawn from torch's global generator."""
    normalisation = build_normalisation(normalise, leads=leads)
    if name == "cnn1d":
        head = hidden_head(CNN1d.features, hidden=64, classes=classes, dropout=dropout)
        return Classifier(CNN1d(leads), head, normalisation)
    backbone = ResNet1d(leads) if name == "resnet1d" else ResNetLSTM(leads)
    return Classifier(backbone, linear_head(backbone.features, classes=classes, dropout=dropout), normalisation)
