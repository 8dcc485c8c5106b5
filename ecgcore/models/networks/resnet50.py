"""ResNet-50 (He et al. 2016) on charts; its ImageNet weights are torchvision's second ones, of a longer training."""

from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network, Published


class ResNet50(ChartsBackbone):
    """Backbone: (batch, views * 3 * pixels, pixels), 0 to 255, to (batch, 2048)."""

    network = Network(
        takes="charts",
        input="charts of any leads, made for 224 pixels",
        source="torchvision: ResNet-50 (He et al. 2016), ImageNet-1K weights V2",
        published=Published(23_516_228, leads=12, classes=4),
    )
    torchvision_name = "resnet50"
    features = 2048
    imagenet_file = "resnet50-11ad3fa6.pth"
    imagenet_head = "fc"
