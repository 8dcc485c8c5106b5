"""ConvNeXt-Tiny (Liu et al. 2022) on charts."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class ConvNeXtTiny(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 768)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: ConvNeXt-Tiny (Liu et al. 2022), ImageNet-1K weights V1",
        published=Published(27_823_204, leads=12, classes=4),
    )
    torchvision_name = "convnext_tiny"
    features = 768
    imagenet_file = "convnext_tiny-983f1562.pth"
    imagenet_head = "classifier.2"
