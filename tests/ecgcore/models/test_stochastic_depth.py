"""Stochastic depth: none as if it were not there; with a share, in training alone, a record at a time."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.layers import LeftOut, shares_left_out
from ecgcore.models.registry import network_of, shipped
from ecgcore.training.checkpoints import read_checkpoint
from tests.ecgcore.tiny import TinyFit, run, tiny_store

RESIDUAL = [name for name in shipped() if "stochastic_depth" in network_of(name).parameters]
SIGNALS, LENGTHS = torch.randn(6, 2, 120), torch.full((6,), 120)


def drawn(name: str, **own: float) -> Classifier:
    torch.manual_seed(2)
    return build_classifier(name, leads=2, classes=3, own=own)


def trained(model: Classifier) -> Tensor:
    torch.manual_seed(3)
    with torch.no_grad():
        for module in model.modules():  # xresnet1d101 begins with blocks that add nothing
            if isinstance(module, torch.nn.BatchNorm1d):
                torch.nn.init.ones_(module.weight)
        return model.train()(SIGNALS, LENGTHS)  # type: ignore[no-any-return]  # untyped call


def test_five_networks_have_it_and_by_default_none() -> None:
    assert ["net1d", "resnet1d", "resnet_lstm", "resnet_pooled", "xresnet1d101"] == RESIDUAL
    assert {0.0} == {network_of(name).parameters["stochastic_depth"].default for name in RESIDUAL}


@pytest.mark.parametrize("name", RESIDUAL)
def test_weights_and_judgements_are_those_of_the_network_without(name: str) -> None:
    without, deep = drawn(name), drawn(name, stochastic_depth=0.8)
    assert without.state_dict().keys() == deep.state_dict().keys()  # a checkpoint of one is one of the other
    with torch.no_grad():
        assert torch.equal(without.eval()(SIGNALS, LENGTHS), deep.eval()(SIGNALS, LENGTHS))


@pytest.mark.parametrize("name", RESIDUAL)
def test_without_it_training_draws_nothing_and_with_it_what_the_seed_says(name: str) -> None:
    plain = trained(drawn(name))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    drawn_nothing = drawn(name).train()
    torch.set_rng_state(before)
    drawn_nothing(SIGNALS, LENGTHS)
    assert torch.equal(before, torch.get_rng_state())

    first, second = (trained(drawn(name, stochastic_depth=0.8)) for _ in range(2))

    assert torch.equal(first, second)
    assert not torch.allclose(first, plain)


def test_a_record_is_left_out_as_a_whole_and_what_is_kept_makes_up_for_it() -> None:
    torch.manual_seed(1)
    kept = LeftOut(0.2)(torch.ones(10_000, 2, 3))
    assert {0.0, 1.25} == set(kept.unique().tolist())
    assert torch.equal(kept.amin((1, 2)), kept.amax((1, 2)))
    assert kept.mean().item() == pytest.approx(1.0, abs=0.02)


def test_weights_that_were_learnt_without_it_are_gone_on_with_by_a_fit_that_has_it(tmp_path: Path) -> None:
    shallow, deep = {"model": "resnet1d"}, {"model": "resnet1d", "stochastic_depth": 0.5}
    _, start = run(TinyFit(config=shallow, directory=tmp_path / "shallow", max_steps=1), tiny_store())

    _, end = run(TinyFit(config=deep, directory=tmp_path / "deep", start_from=start, max_steps=1), tiny_store(seed=2))

    assert read_checkpoint(end).config["stochastic_depth"] == 0.5


def test_the_share_rises_from_block_to_block() -> None:
    assert shares_left_out(0.8, blocks=4) == pytest.approx([0.2, 0.4, 0.6, 0.8])
