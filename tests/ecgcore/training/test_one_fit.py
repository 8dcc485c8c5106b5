import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgcore.fit import Scalar
from ecgcore.models.classifier import build_classifier
from ecgcore.models.network import Network
from ecgcore.scores.challenge_score import ChallengeScore
from ecgcore.scores.names import SCORES
from ecgcore.training.checkpoints import Checkpoint, read_checkpoint
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.one_fit import train
from tests.ecgcore.tiny import Heard, TinyFit, run, tiny_store

STORE = tiny_store()
AUGMENTED = {"noise": 0.1, "lead_dropout": 0.5, "amplitude_scale": 0.2, "time_shift": 0.3, "dropout": 0.4}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint of each model, trained on another store."""
    paths = {}
    for model in ("cnn1d", "resnet_lstm"):
        fit = TinyFit(config={"model": model}, directory=tmp_path_factory.mktemp(model), max_steps=1)
        paths[model] = run(fit, tiny_store(seed=99, multilabel=False))[1]
    return paths


def same(first: Checkpoint, second: Checkpoint) -> bool:
    """Bit by bit: weights, optimiser, schedule, generators, predictions."""
    held = [checkpoint.predictions for checkpoint in (first, second)]
    return (
        all(torch.equal(value, second.weights[name]) for name, value in first.weights.items())
        and torch.equal(first.random["cpu"], second.random["cpu"])
        and str(first.optimiser) == str(second.optimiser)
        and str(first.schedule) == str(second.schedule)
        and all(torch.equal(value, second.learning[name]) for name, value in first.learning.items())
        and (first.averaged, first.best_score, first.best_step)
        == (second.averaged, second.best_score, second.best_step)
        and np.array_equal(first.fingerprints, second.fingerprints)
        and (held[0] is held[1] is None or np.array_equal(held[0].logits, held[1].logits))  # type: ignore[union-attr]
    )


@pytest.mark.parametrize(
    ("model", "stage", "schedule"),
    list(itertools.product(["cnn1d", "resnet_lstm"], ["full", "head"], ["cosine", "one_cycle"])),
)
def test_a_fit_that_goes_on_ends_as_one_never_interrupted(model, stage, schedule, pretrained, tmp_path):
    """Bit by bit, with dropout and augmentation on, records of unequal lengths, and draws in between."""
    store = tiny_store(records=12, lengths=(100, 73))
    config = {"model": model, "train": stage, "schedule": schedule, "batch_size": 4, **AUGMENTED}
    start = pretrained[model]
    whole = TinyFit(config=config, directory=tmp_path / "whole", start_from=start, max_steps=3)
    metrics, last = run(whole, store)

    cut = replace(whole, directory=tmp_path / "cut")
    with pytest.raises(SystemExit):
        train(cut, Heard(stop_at=2), store, FeatureCache())
    torch.rand(17)
    again = replace(cut, resume_from=tmp_path / "cut" / "checkpoint-000002.pt")
    rest, end = run(again, store)

    assert rest == metrics[2:]
    assert same(read_checkpoint(last), read_checkpoint(end))


@pytest.mark.parametrize(("damaged", "steps_again"), [((3,), 1), ((3, 2), 2), ((3, 2, 1), 3)])
def test_where_its_newest_checkpoint_is_damaged_a_fit_goes_on_from_an_older_one_or_begins_anew(
    damaged, steps_again, tmp_path, caplog
):
    fit = TinyFit(config={}, directory=tmp_path, max_steps=4)
    metrics, last = run(fit, STORE)
    whole = read_checkpoint(last)
    for step in damaged:
        path = tmp_path / f"checkpoint-{step:06d}.pt"
        path.write_bytes(path.read_bytes()[:-5000])

    rest, end = run(replace(fit, resume_from=tmp_path / "checkpoint-000003.pt"), STORE)

    assert metrics[-1 - steps_again :] == rest
    assert same(whole, read_checkpoint(end))
    assert "checkpoint-000003.pt: damaged" in caplog.text


EVERYTHING = {
    **AUGMENTED,
    "baseline_wander": 0.1,
    "amplitude_warp": 0.1,
    "time_mask": 0.2,
    "window": 1.5,
    "mixup": 0.3,
    "averaging": 0.9,
    "sampling": "balanced",
    "similar_lengths": True,
    "normalise": "record",
}


@pytest.mark.parametrize(
    ("config", "multilabel"),
    [
        ({"schedule": "step", "decay_epochs": 1, "loss": "asymmetric"}, True),
        ({"schedule": "plateau", "decay_epochs": 1, "loss": "focal"}, True),
        ({"schedule": "cosine", "warmup": 0.3, "restarts": 1, "loss": "weighted_cross_entropy"}, False),
        ({"schedule": "constant", "precision": "bfloat16", "normalise": "train"}, False),
        ({"model": "resnet1d", "patience": 3, "optimizer": "sgd", "loss": "bce"}, True),
    ],
    ids=["step", "plateau", "cosine", "bfloat16", "patience"],
)
def test_with_everything_on_a_fit_that_goes_on_ends_as_one_never_interrupted(config, multilabel, tmp_path):
    """Averages, augmentations, schedules, balanced sampling, half precision, patience: killed at each epoch."""
    store = tiny_store(records=12, lengths=(100, 73), multilabel=multilabel)
    whole = TinyFit(config={**EVERYTHING, **config, "batch_size": 3}, directory=tmp_path / "whole", max_steps=4)
    metrics, last = run(whole, store)

    cut, rest = replace(whole, directory=tmp_path / "cut"), []
    for step in range(1, len(metrics) + 1):
        earlier = tmp_path / "cut" / f"checkpoint-{step - 1:06d}.pt"
        heard = Heard(stop_at=step)
        torch.rand(step)
        with pytest.raises(SystemExit):
            train(replace(cut, resume_from=earlier if step > 1 else None), heard, store, FeatureCache())
        rest += heard.metrics

    assert rest == metrics
    assert same(read_checkpoint(last), read_checkpoint(tmp_path / "cut" / last.name))


def test_a_fit_without_patience_left_ends_early_and_does_not_go_on_when_resumed(tmp_path):
    """Weights that cannot move become no better once the norms' statistics have settled."""
    config = {"patience": 2, "stop_on": "macro_auc", "learning_rate": 1e-8}
    fit = TinyFit(config=config, directory=tmp_path, max_steps=90)
    metrics, path = run(fit, STORE)
    best = max(range(len(metrics)), key=lambda step: (metrics[step]["macro_auc"], -step)) + 1
    assert len(metrics) == best + 2 < 90
    heard = Heard()
    train(replace(fit, resume_from=path), heard, STORE, FeatureCache())
    assert heard.metrics == []


def test_what_is_scored_and_saved_is_the_average_of_the_weights(tmp_path):
    plain, averaged = (
        read_checkpoint(
            run(TinyFit(config={"averaging": decay, "learning_rate": 0.05}, directory=tmp_path / str(decay)), STORE)[1]
        )
        for decay in (0.0, 0.99)
    )
    # the average never feeds back: the weights that learn are those of a fit without it
    assert all(torch.equal(value, averaged.learning[name]) for name, value in plain.weights.items())
    assert not torch.equal(averaged.weights["head.0.weight"], plain.weights["head.0.weight"])
    assert averaged.predictions is not None
    assert plain.predictions is not None
    assert not np.array_equal(averaged.predictions.logits, plain.predictions.logits)
    model = build_classifier("cnn1d", leads=2, classes=3)
    model.load_state_dict(dict(averaged.weights))
    held = STORE.splits[0].validation
    signals = np.stack([STORE.records.signal(index) for index in held])
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(signals), torch.full((len(held),), 100))
    assert averaged.predictions.logits == pytest.approx(logits.numpy(), abs=1e-5)


@pytest.mark.parametrize("model", ["cnn1d", "resnet1d", "resnet_lstm"])
def test_half_precision_changes_training_a_little_and_nothing_of_how_it_is_judged(model, tmp_path):
    """On the CPU: first epoch's losses within 5 %, and weights that stay in single precision."""
    losses = []
    for precision in ("float32", "bfloat16"):
        config = {"model": model, "precision": precision, "dropout": 0.0}
        metrics, path = run(TinyFit(config=config, directory=tmp_path / precision, max_steps=1), STORE)
        losses.append(metrics[0]["train_loss"])
        weights = read_checkpoint(path).weights
        assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float32}
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert losses[1] != losses[0]


def test_the_seed_decides_and_nothing_else(tmp_path):
    fits = [
        TinyFit(config=AUGMENTED, directory=tmp_path / str(number), seed=seed) for number, seed in enumerate((1, 1, 2))
    ]
    torch.rand(5)
    first, second, third = (run(fit, STORE)[0] for fit in fits)
    assert first == second != third


def test_the_small_model_learns_what_is_there_to_learn(tmp_path):
    for multilabel in (True, False):
        store = tiny_store(records=48, multilabel=multilabel)
        fit = TinyFit(config={"learning_rate": 0.01, "batch_size": 8}, directory=tmp_path, max_steps=8)
        metrics, _ = run(fit, store)
        assert metrics[-1]["macro_auc"] > 0.9
        assert metrics[-1]["train_loss"] < metrics[0]["train_loss"]
        assert set(metrics[-1]) == {"train_loss", "val_loss", "parameters", "multiply_adds", *SCORES}


@pytest.mark.parametrize("single", [False, True])
def test_every_step_says_what_one_record_of_the_middle_length_costs(single, tmp_path):
    fit = TinyFit(config={"single_lead": single}, directory=tmp_path, max_steps=2)
    metrics, _ = run(fit, tiny_store(records=30, lengths=(80, 100, 600)))
    by_hand = (50 * (1 if single else 2) * 32 * 7 + 25 * 32 * 64 * 5 + 12 * 64 * 128 * 3) * (2 if single else 1)
    assert [by_hand + 128 * 64 + 64 * 3] * 2 == [row["multiply_adds"] for row in metrics]


def test_a_network_that_cannot_be_counted_is_trained_all_the_same(tmp_path):
    """On tensors without content there is no number to branch on."""
    fit = TinyFit(config={"model": f"{__name__}:Branching"}, directory=tmp_path, max_steps=1)
    metrics, _ = run(fit, STORE)
    assert "multiply_adds" not in metrics[0]
    assert metrics[0]["parameters"] > 0


class Branching(torch.nn.Module):
    """Its answer depends on a value that it looks at."""

    network = Network(input="one lead or more", source="our own")

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.scale = torch.nn.Linear(leads, leads)
        self.features = leads

    def forward(self, signals: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        means = self.scale(signals.mean(dim=2))
        return means if float(means.detach().sum()) > 0 else -means


def test_a_stop_leaves_complete_checkpoints_only(tmp_path):
    heard = Heard(stop_at=2)
    with pytest.raises(SystemExit):
        train(TinyFit(config={}, directory=tmp_path), heard, STORE, FeatureCache())
    assert heard.checkpoints == ["checkpoint-000001.pt", "checkpoint-000002.pt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == heard.checkpoints
    assert [read_checkpoint(path).step for path in sorted(tmp_path.iterdir())] == [1, 2]


@pytest.mark.parametrize("model", ["cnn1d", "resnet_lstm"])
@pytest.mark.parametrize("augmented", [{}, AUGMENTED], ids=["cached", "augmented"])
def test_a_head_stage_leaves_the_backbone_and_its_norms_untouched(model, augmented, pretrained, tmp_path):
    config = {"model": model, "train": "head", "learning_rate": 0.1, **augmented}
    _, path = run(TinyFit(config=config, directory=tmp_path, start_from=pretrained[model]), STORE)

    before, after = read_checkpoint(pretrained[model]).weights, read_checkpoint(path).weights

    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved == {name for name in after if name.startswith("head.")}
    assert any("running_mean" in name for name in after)


@pytest.mark.parametrize("model", ["cnn1d", "heartbeat_cnn"])
@pytest.mark.parametrize("augmented", [{}, AUGMENTED], ids=["cached", "augmented"])
def test_of_a_random_backbone_only_the_head_learns(model, augmented, tmp_path):
    """It needs no start; its weights are those that were drawn, its norms' statistics those of the train part."""
    config = {"model": model, "train": "random_backbone", "learning_rate": 0.01, **augmented}
    paths = [
        run(TinyFit(config=config, directory=tmp_path / str(steps), max_steps=steps), STORE)[1] for steps in (1, 3)
    ]
    torch.manual_seed(7)  # the fit's
    drawn = build_classifier(model, leads=2, classes=3, dropout=0.2).state_dict()

    first, last = (read_checkpoint(path).weights for path in paths)

    moved = {name for name, value in last.items() if not torch.equal(value, first[name])}
    assert moved == {name for name in last if name.startswith("head.")}
    changed = {name for name, value in last.items() if not torch.equal(value, drawn[name])} - moved
    assert changed
    assert all(name.split(".")[-1] in ("running_mean", "running_var", "num_batches_tracked") for name in changed)


def test_a_random_backbone_makes_no_use_of_a_start_and_sees_the_train_part_only(pretrained, tmp_path):
    config: dict[str, Scalar] = {"train": "random_backbone"}
    plain = TinyFit(config=config, directory=tmp_path / "plain")
    started = replace(plain, directory=tmp_path / "started", start_from=pretrained["cnn1d"])
    samples = STORE.records.samples.copy()
    held = int(STORE.splits[0].validation[0]) * 2 * 100  # the last third: two leads of 100 samples each
    samples[held:] += 5
    other = replace(STORE, records=replace(STORE.records, samples=samples), content_hash="other")

    one, two, three = (
        read_checkpoint(run(fit, store)[1])
        for fit, store in ((plain, STORE), (started, STORE), (replace(plain, directory=tmp_path / "other"), other))
    )

    for name, value in one.weights.items():
        assert torch.equal(value, two.weights[name])
        assert torch.equal(value, three.weights[name])
    assert set(two.fingerprints) == set(STORE.records.fingerprints[STORE.splits[0].train])


def test_a_random_backbone_goes_on_as_one_never_interrupted(tmp_path):
    fit = TinyFit(config={"train": "random_backbone"}, directory=tmp_path / "whole")
    _, whole = run(fit, STORE)
    resumed = replace(fit, directory=tmp_path / "rest", resume_from=whole.with_name("checkpoint-000001.pt"))
    _, rest = run(resumed, STORE)
    assert all(torch.equal(v, read_checkpoint(rest).weights[n]) for n, v in read_checkpoint(whole).weights.items())


def test_a_second_head_finds_the_features_and_ends_as_if_it_had_not(pretrained, tmp_path):
    config: dict[str, Scalar] = {"train": "head", "dropout": 0.3, "learning_rate": 0.01}
    fit = TinyFit(config=config, directory=tmp_path / "alone", start_from=pretrained["cnn1d"])
    alone, first = run(fit, STORE)
    cache = FeatureCache()
    run(replace(fit, directory=tmp_path / "before", fold=1, seed=3), STORE, cache=cache)
    again, second = run(replace(fit, directory=tmp_path / "after"), STORE, cache=cache)
    assert len(cache) == 1
    assert again == alone
    assert same(read_checkpoint(first), read_checkpoint(second))


def test_a_head_without_a_backbone_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(
        ValueError, match=r"train: head needs a trained backbone, got no start_from; add an earlier stage"
    ):
        run(TinyFit(config={"train": "head"}, directory=tmp_path), STORE)


def test_a_loss_that_is_not_a_number_is_reported_as_it_is_and_ends_the_fit(tmp_path):
    samples = STORE.records.samples.copy()
    samples[5] = np.nan
    store = replace(STORE, records=replace(STORE.records, samples=samples))
    challenge = ChallengeScore(rewards=np.eye(3), normal=0)
    train(TinyFit(config={}, directory=tmp_path), heard := Heard(), store, FeatureCache(), challenge=challenge)
    assert len(heard.metrics) == 1
    assert math.isnan(heard.metrics[0]["train_loss"])
    assert math.isnan(heard.metrics[0]["macro_auc"])
    assert math.isnan(heard.metrics[0]["challenge_score"]), "a search on it must see that this fit diverged"
    assert heard.checkpoints == [None]


def test_a_final_learns_from_all_records_and_reports_its_loss_only(tmp_path):
    metrics, path = run(TinyFit(config={}, directory=tmp_path / "final", final=True, max_steps=2), STORE)

    assert [set(row) for row in metrics] == [{"train_loss", "parameters", "multiply_adds"}] * 2
    assert {row["parameters"] for row in metrics} == {44387.0}
    read = read_checkpoint(path)
    assert set(read.fingerprints) == set(STORE.records.fingerprints)
    assert read.predictions is None


def test_a_fold_that_is_not_there_or_cannot_be_judged_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fold must be from 0 to 1, as tiny has them, got 2"):
        run(TinyFit(config={}, directory=tmp_path, fold=2), STORE)
    labels = np.ones_like(STORE.records.labels)
    with pytest.raises(ValueError, match="no class has both"):
        run(TinyFit(config={}, directory=tmp_path), replace(STORE, records=replace(STORE.records, labels=labels)))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("loss", ["bce", "weighted_bce", "focal", "asymmetric"])
def test_every_optimizer_and_loss_trains(optimizer, loss, tmp_path):
    config = {"optimizer": optimizer, "loss": loss, "learning_rate": 0.02, "gradient_clip": 0.0}
    metrics, _ = run(TinyFit(config=config, directory=tmp_path), STORE)
    assert metrics[-1]["train_loss"] < metrics[0]["train_loss"]
