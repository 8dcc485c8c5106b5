"""EfficientNet-B3 (Tan, Le 2019) on charts."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class EfficientNetB3(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 1536)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 300 pixels",
        source="torchvision: EfficientNet-B3 (Tan, Le 2019), ImageNet-1K weights V1",
        published=Published(10_702_380, leads=12, classes=4),
    )
    torchvision_name = "efficientnet_b3"
    features = 1536
    imagenet_file = "efficientnet_b3_rwightman-b3899882.pth"
    imagenet_head = "classifier.1"
