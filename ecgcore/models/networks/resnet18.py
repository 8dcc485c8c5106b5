"""ResNet-18 (He et al. 2016) on charts."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class ResNet18(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 512)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: ResNet-18 (He et al. 2016), ImageNet-1K weights V1",
        published=Published(11_178_564, leads=12, classes=4),
    )
    torchvision_name = "resnet18"
    features = 512
    imagenet_file = "resnet18-f37072fd.pth"
    imagenet_head = "fc"
