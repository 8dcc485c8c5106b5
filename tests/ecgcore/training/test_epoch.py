from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgcore.models.classifier import build_classifier
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.epoch import Learner
from ecgcore.training.feature_store import compute_features
from ecgcore.training.hyperparameters import Hyperparameters
from ecgcore.training.losses import cross_entropy
from ecgcore.training.optimisation import build_optimiser, build_schedule
from tests.ecgcore.tiny import tiny_records

RECORDS = tiny_records(20, seed=1, multilabel=False, lengths=(90, 61))
INDICES = np.arange(20)


def learner(*, frozen: bool, cached: bool = False, dropout: float = 0.3, rate: float = 0.01) -> Learner:
    torch.manual_seed(1)
    model = build_classifier("cnn1d", leads=2, classes=3, dropout=dropout)
    model.backbone.requires_grad_(not frozen)
    settings = Hyperparameters.read({"learning_rate": rate})
    optimiser = build_optimiser(model.parameters(), settings)
    return Learner(
        model=model,
        records=RECORDS,
        augmentation=Augmentation(),
        frozen=frozen,
        features=compute_features(model, RECORDS) if cached else None,
        loss=cross_entropy,
        optimiser=optimiser,
        schedule=build_schedule(optimiser, settings, batches=100, epochs=10),
        batch_size=8,
        gradient_clip=1.0,
        device=torch.device("cpu"),
    )


def test_a_head_on_cached_features_is_the_head_on_signals():
    """Same losses, weights and predictions within 1e-6, with dropout on."""
    cached, direct = learner(frozen=True, cached=True), learner(frozen=True)
    losses = []
    for one in (cached, direct):
        torch.manual_seed(2)
        losses.append([one.train_epoch(INDICES) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert cached.predict(INDICES)[0] == pytest.approx(direct.predict(INDICES)[0], abs=1e-6)


def test_a_batch_that_is_computed_in_parts_moves_the_weights_as_a_whole_one():
    """Where nothing depends on what a batch has in it: norms do, in a backbone that is trained, and mixup does.

    Three parts of eight records are not of one size.
    """
    moved = []
    for parts in (1, 3):
        one = replace(learner(frozen=True, dropout=0.0), parts=parts)
        torch.manual_seed(2)
        losses = [one.train_epoch(INDICES) for _ in range(3)]
        moved.append((losses, torch.cat([value.flatten() for value in one.model.head.state_dict().values()])))
    assert moved[0][0] == pytest.approx(moved[1][0], rel=1e-5)
    torch.testing.assert_close(moved[0][1], moved[1][1], rtol=1e-4, atol=1e-6)


def test_a_part_of_a_batch_is_never_a_single_record():
    """Of which a norm could not tell the spread."""
    one = replace(learner(frozen=False), parts=8)
    assert np.isfinite(one.train_epoch(INDICES[:11]))


def test_predictions_are_in_the_order_asked_and_the_loss_is_their_mean():
    one = learner(frozen=False)
    logits, loss = one.predict(INDICES)
    turned, same_loss = one.predict(INDICES[::-1])
    assert turned[::-1] == pytest.approx(logits, abs=1e-6)
    expected = cross_entropy(torch.tensor(logits), torch.tensor(RECORDS.labels)).item()
    assert (loss, same_loss) == pytest.approx((expected, expected), rel=1e-5)


def test_the_loss_of_an_epoch_is_the_mean_over_records():
    """Of a model that hardly moves, and has nothing that training changes."""
    one = learner(frozen=True, dropout=0.0, rate=1e-8)
    assert one.train_epoch(INDICES) == pytest.approx(one.predict(INDICES)[1], rel=1e-5)


def test_predicting_moves_nothing_and_draws_nothing():
    one = learner(frozen=False)
    before, state = {k: v.clone() for k, v in one.model.state_dict().items()}, torch.get_rng_state()
    one.predict(INDICES)
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_small_limit_on_the_gradient_makes_small_steps():
    """With SGD: AdamW would scale the steps up again."""
    moved = []
    for limit in (0.0, 1e-4):
        one = learner(frozen=False)
        sgd = torch.optim.SGD(one.model.parameters(), lr=0.1)
        one = replace(one, gradient_clip=limit, optimiser=sgd, schedule=torch.optim.lr_scheduler.ConstantLR(sgd))
        before = one.model.head[0].weight.detach().clone()  # type: ignore[index]
        one.train_epoch(INDICES)
        moved.append((one.model.head[0].weight - before).norm().item())  # type: ignore[index]
    assert moved[1] < 3 * 0.1 * 1e-4 < moved[0]
