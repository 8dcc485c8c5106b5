"""ConvNeXt-Base (Liu et al. 2022) on charts: the largest of torchvision's that are shipped."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class ConvNeXtBase(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 1024)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: ConvNeXt-Base (Liu et al. 2022), ImageNet-1K weights V1",
        published=Published(87_570_564, leads=12, classes=4),
    )
    torchvision_name = "convnext_base"
    features = 1024
    imagenet_file = "convnext_base-6075fbad.pth"
    imagenet_head = "classifier.2"
