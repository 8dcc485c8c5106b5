"""torchvision's ImageNet weights as a start: from a file, from torch's cache, or fetched; the file is written here."""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecgcore.drawing.charts import ChartForm
from ecgcore.models.charts_backbone import DEVIATION, MEAN, _import_models
from ecgcore.models.classifier import build_classifier
from ecgcore.training.published_start import load_published
from tests.ecgcore.tiny import TinyFit, run, tiny_store, with_charts

NETWORK = """
from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.network import Network

class Small(ChartsBackbone):
    network = Network(takes="charts", input="charts", source="torchvision")
    torchvision_name, features, imagenet_head = "mobilenet_v3_small", 1024, "classifier.3"
    imagenet_origin, imagenet_file = {origin!r}, {name!r}
"""
FORM = ChartForm(("4x3",), 64)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision's are: a state dict, its name ending with its hash. Its norms know their input's scale."""
    torch.manual_seed(4)
    model = _import_models().get_model("mobilenet_v3_small", weights=None).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model(torch.randn(8, 3, 64, 64))
    written = tmp_path_factory.mktemp("theirs") / "small.pth"
    torch.save(model.state_dict(), written)
    digits = hashlib.sha256(written.read_bytes()).hexdigest()[:8]
    return written.rename(written.with_name(f"small-{digits}.pth"))


@pytest.fixture
def network(theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A network whose ImageNet weights are that file, which torch's cache has not yet."""
    (tmp_path / "imagenet_net.py").write_text(NETWORK.format(origin=f"file://{theirs.parent}", name=theirs.name))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    yield "imagenet_net:Small"
    sys.modules.pop("imagenet_net", None)


def told(folder: Path, weights: object, names: Mapping[str, str | None] | None = None) -> Path:
    path = folder / "start.json"
    path.write_text(json.dumps({"weights": str(weights), "names": names or {}, "partial": False}))
    return path


def cached(folder: Path, theirs: Path) -> Path:
    return folder / "cache" / "hub" / "checkpoints" / theirs.name


@pytest.mark.parametrize("weights", ["torchvision", "file"])
def test_features_are_torchvisions_own_and_the_head_stays_as_it_was_drawn(
    network: str, theirs: Path, tmp_path: Path, weights: str
) -> None:
    model = build_classifier(network, leads=12, classes=3)
    head = {name: value.clone() for name, value in model.head.state_dict().items()}
    picture = torch.randint(256, (2, 3 * 64, 64), dtype=torch.uint8)

    unknown = load_published(model, told(tmp_path, theirs if weights == "file" else weights))

    with torch.no_grad():
        features = model.eval().features(picture, torch.tensor([64, 64]))
    assert not unknown
    torch.testing.assert_close(features, features_of(theirs, picture), atol=1e-5, rtol=1e-4)
    assert features.std() > 0.01
    assert all(torch.equal(value, head[name]) for name, value in model.head.state_dict().items())
    assert (weights == "torchvision") == cached(tmp_path, theirs).is_file()


def features_of(file: Path, picture: Tensor) -> Tensor:
    model = _import_models().get_model("mobilenet_v3_small", weights=None).eval()
    model.load_state_dict(torch.load(file, weights_only=True))
    model.classifier[3] = torch.nn.Identity()
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    with torch.no_grad():
        return model((picture.reshape(2, 3, 64, 64) / 255 - mean) / deviation)


def test_a_fit_starts_from_them_and_their_history_is_known(network: str, tmp_path: Path) -> None:
    store = with_charts(tiny_store(multilabel=False), FORM)
    fit = TinyFit(
        config={"model": network, "train": "head"},
        directory=tmp_path / "fit",
        start_from=told(tmp_path, "torchvision"),
        max_steps=1,
    )
    metrics, _ = run(fit, store)
    assert "unknown_history" not in metrics[-1]


def test_other_weights_of_the_network_may_be_a_start_of_unknown_history(
    network: str, theirs: Path, tmp_path: Path
) -> None:
    other = {name: value * 2 for name, value in torch.load(theirs, weights_only=True).items()}
    torch.save(other, tmp_path / "tuned.pth")
    assert load_published(build_classifier(network, leads=12, classes=3), told(tmp_path, tmp_path / "tuned.pth"))


def test_what_is_not_there_and_cannot_be_fetched_says_where_to_put_it(
    network: str, theirs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "imagenet_net.py"
    file.write_text(file.read_text().replace("file://", "file:///nowhere"))
    with pytest.raises(ValueError, match=r"^weights: torchvision: file:///nowhere.*cannot be downloaded here") as error:
        load_published(build_classifier(network, leads=12, classes=3), told(tmp_path, "torchvision"))
    assert f"put it at {cached(tmp_path, theirs)}" in str(error.value)
    assert f"write `weights: PATH/{theirs.name}`" in str(error.value)
    assert 1 == len(str(error.value).splitlines())


@pytest.mark.parametrize("place", ["cache", "file"])
def test_a_file_of_their_name_that_is_damaged_is_refused(
    network: str, theirs: Path, tmp_path: Path, place: str
) -> None:
    file = cached(tmp_path, theirs) if place == "cache" else tmp_path / theirs.name
    file.parent.mkdir(parents=True, exist_ok=True)
    content = bytearray(theirs.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged, or something else: its sha256 must begin with"):
        load_published(
            build_classifier(network, leads=12, classes=3), told(tmp_path, "torchvision" if place == "cache" else file)
        )


def test_what_holds_no_weights_of_the_network_is_refused(network: str, tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("not found")
    torch.save({"fc.weight": torch.zeros(1), "layer": torch.zeros(2)}, tmp_path / "foreign.pth")
    model = build_classifier(network, leads=12, classes=3)
    with pytest.raises(ValueError, match=r"text.pth: cannot be read as a state dict"):
        load_published(model, told(tmp_path, tmp_path / "text.pth"))
    with pytest.raises(ValueError, match=r"backbone.encoder.layer: the network has no such weight"):
        load_published(model, told(tmp_path, tmp_path / "foreign.pth"))


@pytest.mark.parametrize(
    ("model", "weights", "refused"),
    [
        ("cnn1d", "torchvision", r"weights: torchvision: must be a file for a network that is not torchvision's"),
        ("imagenet_net:Small", "imagenet", r"weights: imagenet: must be a file, or torchvision"),
    ],
)
def test_a_word_that_names_no_weights_is_refused(
    network: str, tmp_path: Path, model: str, weights: str, refused: str
) -> None:
    with pytest.raises(ValueError, match=refused):
        load_published(build_classifier(model, leads=12, classes=3), told(tmp_path, weights))
