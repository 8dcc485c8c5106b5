import re
import subprocess
import sys

import pytest

from ecgcore.fit import Scalar
from ecgcore.models.registry import places
from ecgcore.training.hyperparameters import Hyperparameters, known_parameters


def test_every_default_is_allowed_and_explained():
    for name, parameter in known_parameters().items():
        assert parameter.mistake(parameter.default) is None, name
        assert parameter.help


def test_an_empty_config_means_the_defaults():
    settings = Hyperparameters.read({})
    shared = {name: each.default for name, each in known_parameters().items() if not each.only_with}
    assert settings.config() == shared
    assert "cnn1d" == settings.model


def test_all_mistakes_are_told_at_once_with_rule_and_value():
    config: dict[str, Scalar] = {
        "learnign_rate": 1e-3,
        "learning_rate": 0.0,
        "batch_size": 2.5,
        "model": "cnn",
        "dropout": True,
    }
    with pytest.raises(ValueError, match="learnign_rate: no such hyperparameter; there are model, normal") as error:
        Hyperparameters.read(config)
    message = str(error.value)
    assert "learning_rate: must be a number from 1e-08 to 10, got 0.0" in message
    assert "batch_size: must be a whole number from 1 to 4096, got 2.5" in message
    assert f"model: must be one of {', '.join(places())}, got 'cnn'" in message
    assert re.search("dropout: must be a number .*, got True", message)


def test_a_whole_number_is_a_float_and_nan_is_not():
    assert Hyperparameters.read({"weight_decay": 0}).weight_decay == 0
    with pytest.raises(ValueError, match="weight_decay"):
        Hyperparameters.read({"weight_decay": float("nan")})


def test_a_plan_can_read_the_parameters_without_torch():
    code = (
        "import sys, ecgcore.training.hyperparameters as h\n"
        "h.Hyperparameters.read({'model': 'heartbeat_cnn', 'kernel': 5})\n"
        "sys.exit(bool({'torch', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_networks_own_hyperparameters_count_beside_it_alone():
    settings = Hyperparameters.read({"model": "heartbeat_cnn", "kernel": 5})
    assert {"channels": 256, "kernel": 5, "layers": 2, "width": 512} == settings.own
    assert {"model": "heartbeat_cnn", "kernel": 5, "width": 512}.items() <= settings.config().items()
    assert "kernel" not in Hyperparameters.read({"model": "cnn1d"}).config()


def test_a_hyperparameter_of_one_network_is_refused_beside_another_and_out_of_its_range():
    with pytest.raises(ValueError, match=r"^kernel: is of heartbeat_cnn, and model is cnn1d$"):
        Hyperparameters.read({"kernel": 5})
    with pytest.raises(ValueError, match=r"^kernel: must be one of 3, 5, 7, 9, 11, got 6$"):
        Hyperparameters.read({"model": "heartbeat_cnn", "kernel": 6})
