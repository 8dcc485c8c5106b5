"""MobileNetV3-Large (Howard et al. 2019) on charts."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class MobileNetV3Large(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 1280)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: MobileNetV3-Large (Howard et al. 2019), ImageNet-1K weights V1",
        published=Published(4_207_156, leads=12, classes=4),
    )
    torchvision_name = "mobilenet_v3_large"
    features = 1280
    imagenet_file = "mobilenet_v3_large-8738ca79.pth"
    imagenet_head = "classifier.3"
