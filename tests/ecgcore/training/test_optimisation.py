import numpy as np
import pytest
import torch
from torch import nn

from ecgcore.fit import Scalar
from ecgcore.training.hyperparameters import Hyperparameters
from ecgcore.training.optimisation import average_of, build_optimiser, build_schedule


def rates(schedule_name: str, *, batches: int = 100, optimizer: str = "adamw", **more: Scalar) -> list[float]:
    settings = Hyperparameters.read({"schedule": schedule_name, "learning_rate": 0.1, "optimizer": optimizer, **more})
    optimiser = build_optimiser(nn.Linear(2, 2).parameters(), settings)
    schedule = build_schedule(optimiser, settings, batches=batches, epochs=4)
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
    schedule = build_schedule(optimiser, settings, batches=4, epochs=2)
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


def test_a_constant_rate_stays():
    assert set(rates("constant")) == {0.1}


def test_step_multiplies_the_rate_at_every_so_many_epochs():
    """Four epochs of 25 batches, a step every two."""
    seen = rates("step", decay_epochs=2, decay_factor=0.5)
    assert seen[:50] == [0.1] * 50
    assert seen[50:] == pytest.approx([0.05] * 50)


def test_cosine_warms_up_in_a_line_and_starts_again():
    seen = rates("cosine", warmup=0.2, restarts=1)
    assert seen[:20] == pytest.approx([0.1 * (batch + 1) / 21 for batch in range(20)])
    assert seen[20] == seen[60] == pytest.approx(0.1)  # 80 batches in two falls
    assert seen[59] < 0.001
    assert seen[20:60] == sorted(seen[20:60], reverse=True)
    assert seen[99] < 0.001


def test_a_plateau_lowers_the_rate_after_so_many_epochs_without_a_smaller_loss():
    settings = Hyperparameters.read(
        {"schedule": "plateau", "learning_rate": 0.1, "decay_epochs": 2, "decay_factor": 0.5}
    )
    optimiser = build_optimiser(nn.Linear(2, 2).parameters(), settings)
    schedule = build_schedule(optimiser, settings, batches=100, epochs=10)
    seen = []
    for loss in (3.0, 2.0, 2.0, 1.99999, 2.1, 2.0, 1.9):
        schedule.step(loss)  # type: ignore[arg-type]  # torch's plateau takes the loss
        seen.append(optimiser.param_groups[0]["lr"])
    assert seen == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05])


def test_the_average_of_the_weights_is_the_moving_average():
    """At the decay asked for once enough updates are behind it, and before that quicker to forget."""
    model = nn.Linear(1, 1, bias=False)
    average = average_of(model, decay=0.9)
    expected = 0.0
    for update, value in enumerate(np.linspace(1, 2, 120)):
        model.weight.data.fill_(value)
        average.update_parameters(model)
        kept = 0.0 if update == 0 else min(0.9, (1 + update) / (10 + update))
        expected = kept * expected + (1 - kept) * value
    assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)  # type: ignore[union-attr]


def test_the_average_keeps_statistics_of_norms_too():
    model = nn.BatchNorm1d(2)
    average = average_of(model, decay=0.5)
    for _ in range(30):
        model(torch.randn(64, 2) + 3)
        average.update_parameters(model)
    assert average.module.running_mean.tolist() == pytest.approx([2.8, 2.8], abs=0.3)  # type: ignore[union-attr]
    assert int(average.module.num_batches_tracked) == 30  # type: ignore[arg-type]
