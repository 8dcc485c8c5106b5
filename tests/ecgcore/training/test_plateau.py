"""The schedule that waits for a plateau: the same in a search, which holds records out, and in its final."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ecgcore.training.checkpoints import read_checkpoint, write_checkpoint
from tests.ecgcore.tiny import TinyFit, run, tiny_store

STORE = tiny_store()
PLATEAU = {"schedule": "plateau", "decay_epochs": 1, "decay_factor": 0.5, "learning_rate": 0.03, "dropout": 0.5}


def lowered(losses: Sequence[float]) -> list[float]:
    """The learning rate after each epoch: halved where the loss was not the smallest so far."""
    rate, rates = float(PLATEAU["learning_rate"]), []
    for epoch, loss in enumerate(losses):
        rate *= 0.5 if epoch and loss >= min(losses[:epoch]) else 1.0
        rates.append(rate)
    return rates


def rates(fit: TinyFit) -> list[float]:
    """The learning rate after each epoch, as the checkpoints have it."""
    paths = sorted(fit.directory.glob("checkpoint-*.pt"))
    return [read_checkpoint(path).optimiser["param_groups"][0]["lr"] for path in paths]


@pytest.mark.parametrize("final", [False, True], ids=["search", "final"])
def test_it_follows_the_training_loss_in_a_search_and_in_its_final(final, tmp_path):
    fit = TinyFit(config=PLATEAU, directory=tmp_path, final=final, max_steps=12)
    metrics, _ = run(fit, STORE)

    assert lowered([row["train_loss"] for row in metrics]) == pytest.approx(rates(fit))
    assert len(set(rates(fit))) > 1, "a rate that is never lowered would prove nothing"
    assert final or lowered([row["val_loss"] for row in metrics]) != pytest.approx(rates(fit))


def test_a_fit_that_an_earlier_version_began_goes_on_by_the_validation_loss(tmp_path):
    """Its checkpoint has the smallest validation loss so far, and does not say that it is one."""
    fit = TinyFit(config=PLATEAU, directory=tmp_path, max_steps=12)
    first = run(replace(fit, max_steps=12), STORE)[0][0]
    path = fit.directory / "checkpoint-000001.pt"
    was = read_checkpoint(path)
    memory = {name: value for name, value in was.schedule.items() if name != "follows"}
    write_checkpoint(path, replace(was, schedule={**memory, "best": first["val_loss"]}))

    metrics, _ = run(replace(fit, resume_from=path), STORE)

    losses = [first, *metrics]
    assert lowered([row["val_loss"] for row in losses]) == pytest.approx(rates(fit))
    assert lowered([row["train_loss"] for row in losses]) != pytest.approx(rates(fit))
    assert read_checkpoint(fit.directory / "checkpoint-000012.pt").schedule["follows"] == "val_loss"
