from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from ecgcore.data.store import Split
from ecgcore.serving.ensemble import ensemble_of
from ecgcore.serving.prediction import predict_records
from ecgcore.training.checkpoints import read_checkpoint
from ecgcore.training.hyperparameters import Hyperparameters
from ecgcore.training.start_weights import read_start
from tests.ecgcore.tiny import TinyFit, run, tiny_store, with_classes

SOURCE, STORE = tiny_store(seed=50), tiny_store(seed=1)
STILL = {"learning_rate": 1e-8, "weight_decay": 0.0}  # a fit that stays where it started


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(TinyFit(config={}, directory=tmp_path_factory.mktemp("earlier"), max_steps=1), SOURCE)[1]


def test_weights_remember_every_record_of_every_stage(earlier, tmp_path):
    first = run(TinyFit(config={}, directory=tmp_path / "1", start_from=earlier, max_steps=1), STORE)[1]
    second = run(TinyFit(config={}, directory=tmp_path / "2", start_from=first, max_steps=1), STORE)[1]
    expected = {
        *SOURCE.records.fingerprints[SOURCE.splits[0].train],
        *STORE.records.fingerprints[STORE.splits[0].train],
    }
    assert set(read_checkpoint(second).fingerprints) == expected


def test_weights_that_saw_a_validation_record_are_refused_naming_it(earlier, tmp_path):
    """Though another store, under another name: a record is known by its signal."""
    first = run(TinyFit(config={}, directory=tmp_path / "fold0", start_from=earlier, max_steps=1), STORE)[1]
    renamed = replace(STORE, records=replace(STORE.records, ids=tuple(f"x{i}" for i in range(24))))
    with pytest.raises(
        ValueError, match=r"trained on 8 validation records: x0, x1, x2, x3, x4 and 3 more; leave them out"
    ):
        run(TinyFit(config={}, directory=tmp_path / "fold1", start_from=first, fold=1), renamed)


def test_what_an_earlier_stage_saw_is_refused_two_stages_later(earlier, tmp_path):
    middle = run(TinyFit(config={}, directory=tmp_path / "middle", start_from=earlier, max_steps=1), STORE)[1]
    judged_on_source = replace(SOURCE, splits=(Split(SOURCE.splits[0].validation, SOURCE.splits[0].train),))
    with pytest.raises(ValueError, match="trained on 16 validation records: r50-0, "):
        run(TinyFit(config={}, directory=tmp_path / "last", start_from=middle), judged_on_source)


def test_equal_classes_keep_the_head_and_others_get_a_new_one(earlier, tmp_path):
    before = read_checkpoint(earlier).weights
    kept = run(TinyFit(config=STILL, directory=tmp_path / "kept", start_from=earlier, max_steps=1), STORE)[1]
    for name in ("head.3.weight", "backbone.first.convolution.weight"):
        assert torch.allclose(read_checkpoint(kept).weights[name], before[name], atol=1e-5)
    for classes in (("slow", "quick"), ("slow", "quick", "other")):
        store = with_classes(STORE, *classes)
        new = run(
            TinyFit(config=STILL, directory=tmp_path / classes[-1], start_from=earlier, max_steps=1, seed=8), store
        )[1]
        weights = read_checkpoint(new).weights
        assert torch.allclose(
            weights["backbone.first.convolution.weight"], before["backbone.first.convolution.weight"], atol=1e-5
        )
        assert weights["head.3.weight"].shape[0] == len(classes)
        assert not torch.allclose(weights["head.0.weight"], before["head.0.weight"], atol=1e-3)


def test_every_way_in_which_weights_do_not_fit_is_told_at_once(earlier, tmp_path):
    other = replace(STORE, leads=("II", "I"), rate=100.0)
    with pytest.raises(ValueError, match="model must be the checkpoint's cnn1d, got resnet_lstm") as error:
        run(TinyFit(config={"model": "resnet_lstm"}, directory=tmp_path, start_from=earlier), other)
    assert "leads must be equal: the checkpoint has I II, the store II I" in str(error.value)
    assert "the checkpoint has 50 Hz, the store 100 Hz; prepare the store at 50 Hz" in str(error.value)


def test_a_fit_goes_on_from_its_own_checkpoint_only(tmp_path):
    fit = TinyFit(config={}, directory=tmp_path)
    _, path = run(replace(fit, max_steps=1), STORE)
    other = replace(fit, resume_from=path, seed=8, config={"dropout": 0.5})
    with pytest.raises(ValueError, match="max_steps must be 1, got 3") as error:
        run(other, STORE)
    assert "seed must be 7, got 8" in str(error.value)
    assert "dropout must be 0.2, got 0.5" in str(error.value)


def test_weights_that_learnt_from_signals_processed_otherwise_are_refused(tmp_path):
    """How the samples are stored does not count: only what was done to the signals."""
    filtered = replace(tiny_store(seed=9), processing={"band_pass": [0.5, 40.0], "half": True})
    _, path = run(TinyFit(config={}, directory=tmp_path, max_steps=1), filtered)
    settings = Hyperparameters.read({})
    with pytest.raises(
        ValueError, match=r"processed alike: the checkpoint's were {'band_pass': .*, the store's left as"
    ):
        read_start(path, settings, tiny_store())
    alike = replace(tiny_store(), processing={"band_pass": [0.5, 40.0], "half": False})
    assert read_start(path, settings, alike).processing == {"band_pass": [0.5, 40.0]}


def test_a_model_that_is_taken_as_it_is_answers_as_it_did_and_of_classes_it_does_not_know_rarely(earlier, tmp_path):
    """The target has the source's classes in another order, and one more: what both know is judged by the same head."""
    wide = np.pad(STORE.records.labels[:, ::-1], ((0, 0), (0, 1)))
    wide[::3, 3] = 1
    target = replace(
        STORE,
        classes=("rapid", "quick", "slow", "new"),
        content_hash="wide",
        records=replace(STORE.records, labels=wide),
    )
    fit = TinyFit(config={"train": "none"}, directory=tmp_path / "none", start_from=earlier, max_steps=1)
    (metrics,), last = run(fit, target)
    checkpoint = read_checkpoint(last)
    held = checkpoint.predictions
    assert held is not None
    ensemble = ensemble_of([earlier])[0]
    theirs = predict_records(ensemble, STORE.records.only(STORE.splits[0].validation))[0]
    assert np.allclose(expit(held.logits[:, [2, 1, 0]]), theirs, atol=1e-6)
    assert np.allclose(expit(held.logits[:, 3]), 0.01)
    assert metrics["train_loss"] > 0
    assert set(checkpoint.fingerprints) == set(read_checkpoint(earlier).fingerprints)  # of the target it learnt nothing


@pytest.mark.parametrize("target", [with_classes(STORE, "never", "heard"), tiny_store(multilabel=False)])
def test_taken_as_it_is_a_model_must_know_a_class_of_the_store(target, earlier, tmp_path):
    fit = TinyFit(config={"train": "none"}, directory=tmp_path, start_from=earlier, max_steps=1)
    with pytest.raises(ValueError, match="train: none needs classes that the start knows, of the same kind"):
        run(fit, target)


def test_taken_as_it_is_there_must_be_something_to_take(tmp_path):
    with pytest.raises(ValueError, match="train: none needs a trained backbone, got no start_from"):
        run(TinyFit(config={"train": "none"}, directory=tmp_path, max_steps=1), STORE)
