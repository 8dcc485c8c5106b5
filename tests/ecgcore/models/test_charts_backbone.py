"""torchvision's networks on charts: theirs but for the last layer, and one record's features however many its views."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ecgcore.models.charts_backbone import DEVIATION, MEAN, _import_models
from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.registry import class_of, network_of, places

torch.set_num_threads(1)  # a second thread only waits on a busy machine

CHARTS = tuple(name for name in places() if network_of(name).takes == "charts")
SMALL = "mobilenet_v3_small"
PIXELS = 64


def model_of(name: str) -> Classifier:
    """A model whose norms know their input's scale: of a fresh one's features nothing is left to compare."""
    torch.manual_seed(2)
    model = build_classifier(name, leads=12, classes=4).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model(charts(8, views=1), lengths(8))
    return model.eval()


def charts(records: int, *, views: int) -> Tensor:
    return torch.randint(256, (records, views * 3 * PIXELS, PIXELS), dtype=torch.uint8)


def lengths(records: int) -> Tensor:
    return torch.full((records,), PIXELS)


def theirs(name: str, model: Classifier) -> Any:
    """torchvision's own network with the weights of ours, its last layer being the head's."""
    whole = _import_models().get_model(name, weights=None, num_classes=4).eval()
    head = class_of(name).imagenet_head
    ours = {f"{head}.{part}": value for part, value in model.head[1].state_dict().items()}
    whole.load_state_dict({**model.backbone.encoder.state_dict(), **ours})
    return whole


def test_there_are_eight() -> None:
    assert 8 == len(CHARTS)


@pytest.mark.parametrize("name", CHARTS)
def test_backbone_and_head_are_torchvisions_network(name: str) -> None:
    """Logits of torchvision's own network for the same picture, normalised as its ImageNet weights want it."""
    if name in ("convnext_base", "resnet50", "efficientnet_b3", "mobilenet_v3_large"):
        with torch.device("meta"):  # of a kind with a smaller one: their weights are only counted
            model = build_classifier(name, leads=12, classes=4)
            picture = charts(2, views=1)
        assert (2, 4) == model(picture, lengths(2)).shape
        return
    model, picture = model_of(name), charts(1, views=1)
    colours = picture.reshape(1, 3, PIXELS, PIXELS) / 255
    for number in range(3):
        colours[:, number] = (colours[:, number] - MEAN[number]) / DEVIATION[number]
    with torch.no_grad():
        logits = model(picture, lengths(1))
        torch.testing.assert_close(logits, theirs(name, model)(colours), atol=1e-5, rtol=1e-4)
        assert logits.std() > 0.01, "logits that are all alike would prove nothing"
        assert model.features(picture, lengths(1)).shape == (1, model.backbone.features)


def test_features_are_the_mean_over_a_records_views() -> None:
    model, both = model_of(SMALL), charts(3, views=2)
    with torch.no_grad():
        first, second = (model.features(view, lengths(3)) for view in both.chunk(2, dim=1))
        assert not torch.allclose(first, second, atol=1e-2)
        torch.testing.assert_close(model.features(both, lengths(3)), (first + second) / 2, atol=1e-5, rtol=1e-4)


def test_a_chart_of_bytes_and_one_of_numbers_are_the_same_chart() -> None:
    """Mixed charts come as numbers."""
    model, picture = model_of(SMALL), charts(2, views=1)
    with torch.no_grad():
        assert torch.equal(model(picture, lengths(2)), model(picture.float(), lengths(2)))


def test_dropout_before_the_last_layer_is_ours_alone() -> None:
    """torchvision's own would go on beside a `dropout` of 0."""
    for name in ("efficientnet_b0", SMALL):
        model = model_of(name)
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Dropout)]
        assert [model.head[0]] == layers


def test_a_record_alone_is_learnt_from() -> None:
    model_of(SMALL).train()(charts(1, views=1), lengths(1)).sum().backward()


@pytest.mark.parametrize("name", CHARTS)
def test_the_file_and_the_last_layer_of_the_imagenet_weights_are_torchvisions(name: str) -> None:
    models, ours = _import_models(), class_of(name)
    version = "V2" if name == "resnet50" else "V1"
    with torch.device("meta"):
        last = models.get_model(name, weights=None).get_submodule(ours.imagenet_head)
    assert models.get_model_weights(name)[f"IMAGENET1K_{version}"].url.endswith(f"/{ours.imagenet_file}")
    assert (1000, ours.features) == last.weight.shape


def test_without_torchvision_they_are_listed_and_building_one_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['torchvision'] = None\n"
        "from orchestrator.cli import main\n"
        "from ecgcore.models.classifier import build_classifier\n"
        "print(main(['models', 'resnet18', 'cnn1d']))\n"
        "try: build_classifier('resnet18', leads=1, classes=2)\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = "networks that take charts need torchvision: pip install 'orchestrate[vision]'"
    rows = done.stdout.splitlines()
    assert ["resnet18", "-", "11,178,564", "(12"] == rows[1].split()[:4]
    assert ["cnn1d", "46,757"] == rows[2].split()[:2]
    assert ["0", said] == rows[-2:]
    assert f"{said}\n" == done.stderr


def test_the_norms_of_a_network_made_for_a_million_pictures_follow_a_few_batches() -> None:
    """Judged by statistics that lag behind, records get one answer, however well the network does in training."""
    backbone = build_classifier("mobilenet_v3_small", leads=12, classes=4).backbone
    momenta = {module.momentum for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)}
    assert momenta == {0.1}
