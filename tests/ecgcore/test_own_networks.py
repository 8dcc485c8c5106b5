"""A network with hyperparameters of its own, shipped or one's own: trained, continued, started from, served."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgcore.models.classifier import build_classifier
from ecgcore.serving.exported import export, load
from ecgcore.training.checkpoints import read_checkpoint, write_checkpoint
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.one_fit import train
from tests.ecgcore.tiny import Heard, TinyFit, probabilities_in, run, tiny_store

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
OWN = {"model": "own_network:TwoScales", "channels_a_scale": 8, "reach": 15}
HEARTBEAT = {"model": "heartbeat_cnn", "channels": 16, "width": 32}
DEEP = {"model": "net1d", "group_width": 4, "stages": 2, "stochastic_depth": 0.5}
STATES = {"model": "s4", "state_width": 16, "state_layers": 2}
STORE = tiny_store()


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))


@pytest.mark.parametrize("config", [OWN, HEARTBEAT, DEEP, STATES])
def test_a_checkpoint_holds_the_networks_own_hyperparameters_and_goes_on_with_them(config, tmp_path):
    """Stopped and resumed, it ends with the weights of a fit that was never stopped."""
    _, whole = run(TinyFit(config=config, directory=tmp_path / "whole", max_steps=2), STORE)
    stopped = TinyFit(config=config, directory=tmp_path / "stopped", max_steps=2)
    heard = Heard(stop_at=1)
    with pytest.raises(SystemExit):
        train(stopped, heard, STORE, FeatureCache())
    half = stopped.directory / str(heard.checkpoints[-1])
    _, resumed = run(replace(stopped, resume_from=half), STORE)

    assert config.items() <= read_checkpoint(resumed).config.items()
    weights = read_checkpoint(resumed).weights
    assert all(torch.equal(value, weights[name]) for name, value in read_checkpoint(whole).weights.items())


@pytest.mark.parametrize(("config", "name", "other"), [(OWN, "reach", 31), (HEARTBEAT, "width", 64)])
def test_weights_of_another_shape_are_refused_by_the_hyperparameter_that_differs(config, name, other, tmp_path):
    _, start = run(TinyFit(config=config, directory=tmp_path / "start", max_steps=1), STORE)
    changed = TinyFit(config={**config, name: other}, directory=tmp_path / "changed", start_from=start)
    with pytest.raises(ValueError, match=f"{name} must be the checkpoint's {config[name]}, got {other}"):
        run(changed, tiny_store(seed=2))
    with pytest.raises(ValueError, match=r"model must be the checkpoint's .*, got cnn1d") as error:
        run(TinyFit(config={}, directory=tmp_path / "other", start_from=start), tiny_store(seed=2))
    assert len(str(error.value).splitlines()) == 1


def test_a_head_is_trained_on_the_frozen_own_network(tmp_path):
    _, start = run(TinyFit(config=OWN, directory=tmp_path / "start", max_steps=1), STORE)
    head = TinyFit(config={**OWN, "train": "head"}, directory=tmp_path / "head", start_from=start, max_steps=1)

    _, trained = run(head, tiny_store(seed=2))

    before, after = read_checkpoint(start).weights, read_checkpoint(trained).weights
    name = "backbone.long.convolution.weight"
    assert torch.equal(before[name], after[name])


@pytest.mark.parametrize("config", [OWN, HEARTBEAT])
def test_the_exported_model_answers_as_the_checkpoint_does(config, tmp_path):
    _, path = run(TinyFit(config=config, directory=tmp_path / "fit", max_steps=1, final=True), STORE)
    export([path], tmp_path / "model")
    signals = np.stack([STORE.records.signal(index) for index in range(3)])
    own = {name: value for name, value in config.items() if name != "model"}
    model = build_classifier(str(config["model"]), leads=2, classes=3, own=own).eval()
    model.load_state_dict(dict(read_checkpoint(path).weights))

    answers = load(tmp_path / "model")(signals)

    with torch.no_grad():
        logits = model(torch.from_numpy(signals), torch.full((3,), signals.shape[2]))
    assert probabilities_in(answers) == pytest.approx(logits.sigmoid().numpy(), abs=1e-6)


def test_where_the_own_network_is_not_installed_its_served_model_says_what_is_missing(tmp_path):
    _, path = run(TinyFit(config=OWN, directory=tmp_path / "fit", max_steps=1, final=True), STORE)
    export([path], tmp_path / "model")
    code = f"import pathlib, ecgcore.serving.exported as e; e.load(pathlib.Path({str(tmp_path / 'model')!r}))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1] == (
        f"ecgcore.mistakes.Mistake: {tmp_path}/model/model.pt: own_network:TwoScales: there is no module own_network; "
        "install its package here, or name its folder in PYTHONPATH"
    )


def test_a_checkpoint_from_before_a_hyperparameter_was_declared_has_its_default(tmp_path):
    """It goes on, starts others, and is served, as the default that it was trained with."""
    fit = TinyFit(config={**HEARTBEAT, "kernel": 7}, directory=tmp_path / "fit", max_steps=2)
    _, last = run(fit, STORE)
    first = fit.directory / "checkpoint-000001.pt"
    for path in (first, last):
        written = read_checkpoint(path)
        config = {name: value for name, value in written.config.items() if name not in ("kernel", "noise")}
        write_checkpoint(path, replace(written, config=config))

    metrics, _ = run(replace(fit, directory=tmp_path, resume_from=first), STORE)
    run(replace(fit, directory=tmp_path, start_from=last), tiny_store(seed=2))
    export([last], tmp_path / "model")

    assert len(metrics) == 1
    assert probabilities_in(load(tmp_path / "model")(np.zeros((1, 2, 100), np.float32))).shape == (1, 3)


WRONG = """
from torch import nn
from ecgcore.models.network import Network
from ecgcore.parameters import integer

class Deaf(nn.Module):
    network = Network(input="any", source="ours", parameters={"reach": integer(5, low=3, high=9, help="samples")})

    def __init__(self, leads):
        super().__init__()

class Silent(nn.Module):
    network = Network(input="any", source="ours")

    def __init__(self, leads):
        super().__init__()
"""


def test_a_class_that_is_no_network_is_refused_by_what_it_lacks(tmp_path, monkeypatch):
    (tmp_path / "wrong_networks.py").write_text(WRONG)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match=r"Deaf: must take leads and its own .* keyword .*reach"):
        build_classifier("wrong_networks:Deaf", leads=2, classes=3)
    with pytest.raises(ValueError, match=r"wrong_networks:Silent: must be an nn.Module that says in `features`"):
        build_classifier("wrong_networks:Silent", leads=2, classes=3)
