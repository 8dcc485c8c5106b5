"""Which networks there are, whose a hyperparameter is, and what happens where two networks say different things."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecgcore.models.registry import network_of, own_parameters, own_values, place_of, places
from ecgcore.training.hyperparameters import known_parameters

NET = """
from ecgcore.models.network import Network
from ecgcore.parameters import integer

class Net:
    network = Network(input="any", source="ours", parameters={"NAME": integer(5, low=3, high=HIGH, help="samples")})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    places.cache_clear()
    yield tmp_path
    places.cache_clear()


def written(folder: Path, module: str, *, name: str = "reach", high: int = 9) -> str:
    (folder / f"{module}.py").write_text(NET.replace("NAME", name).replace("HIGH", str(high)))
    return f"{module}:Net"


def registered(folder: Path, **networks: str) -> None:
    """Make the folder a package that registers networks, as an installed one does."""
    info = folder / "some_networks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some_networks\nVersion: 1.0\n")
    lines = [f"{name} = {place}" for name, place in networks.items()]
    (info / "entry_points.txt").write_text("[orchestrate.networks]\n" + "\n".join(lines) + "\n")
    places.cache_clear()


def test_a_shipped_network_is_named_as_its_file() -> None:
    assert "ecgcore.models.networks.resnet_lstm:ResNetLSTM" == place_of("resnet_lstm")
    files = Path("ecgcore/models/networks").glob("*.py")
    assert sorted(path.stem for path in files if path.stem != "__init__") == list(places())


def test_a_package_registers_a_network_under_a_name(folder: Path) -> None:
    registered(folder, theirs=written(folder, "reg_a"), cnn1d=written(folder, "reg_b"))

    assert "reg_a:Net" == place_of("theirs")
    assert place_of("cnn1d").startswith("ecgcore.")  # a shipped name stays what it is
    known = known_parameters({"model": ["theirs"]})
    assert "theirs" in known["model"].choices
    assert {"model": ("theirs",)} == known["reach"].only_with


def test_a_registered_network_that_is_broken_hides_no_other(folder: Path) -> None:
    registered(folder, broken="reg_none:Net", good=written(folder, "reg_good"))

    assert "reach" in known_parameters({"model": ["cnn1d"]})
    with pytest.raises(ValueError, match=r"^model: reg_none:Net: there is no module reg_none; install"):
        known_parameters({"model": ["cnn1d", "broken"]})


def test_a_network_of_ones_own_is_known_where_it_is_named(folder: Path) -> None:
    place = written(folder, "mine_a")
    known = known_parameters({"model": ["cnn1d", place]})
    assert {"model": (place,)} == known["reach"].only_with
    assert place in known["model"].choices
    assert "reach" not in known_parameters({"model": ["cnn1d"]})
    assert "reach" not in known_parameters()


def test_two_networks_share_a_hyperparameter_that_they_declare_alike(folder: Path) -> None:
    first, second = written(folder, "alike_a"), written(folder, "alike_b")
    assert {"model": (first, second)} == own_parameters([first, second], taken=())["reach"].only_with


def test_two_networks_that_disagree_are_both_named(folder: Path) -> None:
    first, second = written(folder, "unlike_a"), written(folder, "unlike_b", high=11)
    with pytest.raises(
        ValueError, match=r"^model: unlike_a:Net and unlike_b:Net both declare reach, and not the same; rename one"
    ):
        known_parameters({"model": [first, second]})
    assert own_parameters([second], taken=())["reach"].high == 11


def test_a_network_may_redeclare_what_another_has_that_is_not_in_question(folder: Path) -> None:
    place = written(folder, "kernel_a", name="kernel")
    known = known_parameters({"model": [place]})
    assert {"model": (place,)} == known["kernel"].only_with
    assert known["kernel"].high == 9


def test_a_name_that_every_network_has_is_refused(folder: Path) -> None:
    place = written(folder, "taken_a", name="dropout")
    with pytest.raises(ValueError, match="taken_a:Net declares dropout, which every network has; give its own another"):
        known_parameters({"model": [place]})


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"must be one of .*, cnn1d, .* or your own as .*, got 'cnn3d'"):
        network_of("cnn3d")


def test_a_value_that_a_stored_config_lacks_is_the_default() -> None:
    own = own_values("heartbeat_cnn", {"channels": 64, "dropout": 0.1})
    assert {"channels": 64, "kernel": 7, "layers": 2, "width": 512} == own
