"""MobileNetV3-Small (Howard et al. 2019) on charts: the smallest and quickest of torchvision's that are shipped."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class MobileNetV3Small(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 1024)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: MobileNetV3-Small (Howard et al. 2019), ImageNet-1K weights V1",
        published=Published(1_521_956, leads=12, classes=4),
    )
    torchvision_name = "mobilenet_v3_small"
    features = 1024
    imagenet_file = "mobilenet_v3_small-047dcff4.pth"
    imagenet_head = "classifier.3"
