"""torchvision's networks as backbones that look at charts. Nothing else here imports torchvision."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ecgcore.mistakes import NotInstalled

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue, from 0 to 1
# Of the norms' statistics, as torch has it. MobileNetV3's .01 is for a million pictures: after the few hundred batches
# of a small database its statistics still lag behind, and every record is judged alike.
MOMENTUM = 0.1
OPERATORS: list[torch.library.Library] = []  # what is declared for torchvision, see _import_models


class ChartsBackbone(nn.Module):
    """torchvision's own network without its last layer, and without the dropout before that: our head has one.

    A subclass says which. Its features of a record are the mean of those of its views.
    """

    torchvision_name: ClassVar[str]
    features: ClassVar[int]
    imagenet_origin: ClassVar[str] = "https://download.pytorch.org/models"
    imagenet_file: ClassVar[str]  # of its ImageNet-1K weights, there; its name ends with its hash
    imagenet_head: ClassVar[str]  # its last layer there, which is left out
    mean: Tensor
    deviation: Tensor

    def __init__(self, leads: int) -> None:
        """Draw fresh weights as torchvision does. leads: of the records, which a chart shows any number of.

        Raises NotInstalled where torchvision is not installed.
        """
        super().__init__()
        self.encoder = _import_models().get_model(self.torchvision_name, weights=None, num_classes=1)
        if hasattr(self.encoder, "fc"):
            self.encoder.fc = nn.Identity()
        else:
            *layers, _last = self.encoder.classifier
            self.encoder.classifier = nn.Sequential(*(one for one in layers if not isinstance(one, nn.Dropout)))
        for norm in [module for module in self.encoder.modules() if isinstance(module, nn.BatchNorm2d)]:
            norm.momentum = MOMENTUM
        self.encoder.to(memory_format=torch.channels_last)  # on a CPU a third of the time less, and GPUs like it
        # constants, and no part of the weights: those of another place would lack them
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def forward(self, charts: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, features).

        charts: (batch, views * 3 * pixels, pixels), 0 to 255, of bytes or of numbers that mix them; each view's red
        rows, then green, then blue. lengths: not looked at, as charts of one store have one size.
        """
        records, _rows, pixels = charts.shape
        pictures = charts.reshape(-1, 3, pixels, pixels)
        scaled = (pictures.to(self.mean.dtype) / 255 - self.mean) / self.deviation
        features: Tensor = self.encoder(scaled.contiguous(memory_format=torch.channels_last))
        return features.reshape(records, -1, self.features).mean(1)


def _import_models() -> Any:
    """Import torchvision.models, which takes a second and is not there without the extra `vision`."""
    try:
        import torchvision.models as models
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "torchvision":
            raise
        raise NotInstalled("networks that take charts need torchvision: pip install 'orchestrate[vision]'") from None
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        # Beside a torch of another build (a CPU's, say) its compiled operators cannot be loaded, and it stumbles over
        # two that are missing. No network here uses them: to be declared is enough, as long as this is kept alive.
        declared = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]  # torch
        for name in ("nms", "qnms"):
            declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        OPERATORS.append(declared)
        import torchvision.models as models
    return models
