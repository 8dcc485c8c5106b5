"""EfficientNet-B0 (Tan, Le 2019) on charts."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class EfficientNetB0(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 1280)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: EfficientNet-B0 (Tan, Le 2019), ImageNet-1K weights V1",
        published=Published(4_012_672, leads=12, classes=4),
    )
    torchvision_name = "efficientnet_b0"
    features = 1280
    imagenet_file = "efficientnet_b0_rwightman-7f5810bc.pth"
    imagenet_head = "classifier.1"
