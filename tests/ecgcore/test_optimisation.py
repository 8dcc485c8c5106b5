import pytest
import torch
from torch import nn

from ecgcore.optimisation import build_optimiser, build_schedule
from ecgcore.parameters import Hyperparameters


def rates(schedule_name: str, *, batches: int = 100, optimizer: str = "adamw") -> list[float]:
    settings = Hyperparameters.read({"schedule": schedule_name, "learning_rate": 0.1, "optimizer": optimizer})
    optimiser = build_optimiser(nn.Linear(2, 2).parameters(), settings)
    schedule = build_schedule(optimiser, settings, batches=batches)
    seen = []
    for _ in range(batches):
        seen.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return seen


def test_cosine_falls_from_the_learning_rate_to_nothing():
    seen = rates("cosine")
    assert seen[0] == pytest.approx(0.1)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < 1e-4


def test_one_cycle_rises_to_the_learning_rate_after_three_tenths_and_falls():
    seen = rates("one_cycle")
    assert max(seen) == pytest.approx(0.1)
    assert abs(seen.index(max(seen)) - 30) <= 1
    assert seen[0] == pytest.approx(0.1 / 25)
    assert seen[-1] < 1e-5


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_biases_are_not_decayed(optimizer):
    settings = Hyperparameters.read({"optimizer": optimizer, "weight_decay": 0.5})
    layer = nn.Linear(3, 2)
    optimiser = build_optimiser(layer.parameters(), settings)
    decays = {id(weight): group["weight_decay"] for group in optimiser.param_groups for weight in group["params"]}
    assert decays == {id(layer.weight): 0.5, id(layer.bias): 0.0}


def test_momentum_is_the_one_asked_for_throughout_one_cycle():
    settings = Hyperparameters.read({"optimizer": "sgd", "momentum": 0.37})
    optimiser = build_optimiser(nn.Linear(2, 2).parameters(), settings)
    schedule = build_schedule(optimiser, settings, batches=4)
    for _ in range(3):
        optimiser.step()
        schedule.step()
        assert optimiser.param_groups[0]["momentum"] == 0.37


def test_a_frozen_weight_is_left_out():
    model = nn.Sequential(nn.Linear(2, 2).requires_grad_(False), nn.Linear(2, 1))
    optimiser = build_optimiser(model.parameters(), Hyperparameters.read({}))
    held = {id(weight) for group in optimiser.param_groups for weight in group["params"]}
    assert held == {id(weight) for weight in model[1].parameters()}
    assert isinstance(optimiser, torch.optim.AdamW)
