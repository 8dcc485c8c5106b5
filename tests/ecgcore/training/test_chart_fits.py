"""Fits of a network that takes charts: by the same code as all others, in all three ways to train."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecgcore.drawing.charts import ChartForm
from ecgcore.fit import Scalar
from ecgcore.models.size import size_of
from ecgcore.parameters import Parameter
from ecgcore.training.checkpoints import read_checkpoint
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.hyperparameters import OF_SIGNALS, Hyperparameters, known_parameters
from tests.ecgcore.tiny import TinyFit, run, tiny_store, with_charts

FORM = ChartForm(("4x3", "2x6"), 64)
STORE = with_charts(tiny_store(multilabel=False), FORM)
OTHER = with_charts(tiny_store(multilabel=False, seed=50), FORM)  # no record is of both
NETWORK = {"model": "mobilenet_v3_small", "batch_size": 8}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    return run(TinyFit(config=NETWORK, directory=folder, max_steps=1), OTHER)[1]


def backbone_of(path: Path) -> dict[str, torch.Tensor]:
    return {name: value for name, value in read_checkpoint(path).weights.items() if name.startswith("backbone.")}


def test_a_checkpoint_says_which_charts_it_was_given(full: Path) -> None:
    assert {"charts": FORM.described()} == read_checkpoint(full).processing


def test_a_head_learns_on_features_that_are_computed_once_and_its_backbone_stays(full: Path, tmp_path: Path) -> None:
    cache = FeatureCache()
    config = {**NETWORK, "train": "head", "learning_rate": 1e-2}
    for seed in (1, 2):
        fit = TinyFit(config=config, directory=tmp_path / str(seed), start_from=full, seed=seed, max_steps=3)
        metrics, path = run(fit, STORE, cache=cache)
    assert 1 == len(cache)
    assert metrics[-1]["train_loss"] < metrics[0]["train_loss"]
    before, after = backbone_of(full), backbone_of(path)
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_random_backbone_sees_charts_on_the_scale_that_its_norms_measured(tmp_path: Path) -> None:
    config = {**NETWORK, "train": "random_backbone", "learning_rate": 3e-2, "dropout": 0.0}
    metrics, path = run(TinyFit(config=config, directory=tmp_path, max_steps=15), STORE)
    assert metrics[-1]["macro_auc"] > 0.8, "the class is a third of the picture"
    assert {"charts": FORM.described()} == read_checkpoint(path).processing


def test_a_step_says_what_one_chart_of_the_store_costs(tmp_path: Path) -> None:
    metrics, _ = run(TinyFit(config=NETWORK, directory=tmp_path, max_steps=1), STORE)
    size = size_of("mobilenet_v3_small", leads=2, classes=3, chart=(2 * 3 * FORM.pixels, FORM.pixels))
    assert size.multiply_adds == metrics[0]["multiply_adds"]


def test_mixed_charts_are_learnt_from(tmp_path: Path) -> None:
    metrics, _ = run(TinyFit(config={**NETWORK, "mixup": 0.4}, directory=tmp_path, max_steps=1), STORE)
    assert metrics[0]["train_loss"] > 0


def test_everything_that_changes_signals_is_refused_in_one_sentence() -> None:
    known = known_parameters()
    config: dict[str, Scalar] = {name: another(known[name]) for name in OF_SIGNALS}
    Hyperparameters.read(config)
    with pytest.raises(
        ValueError, match=f"^{', '.join(OF_SIGNALS)}: must be left out.* mobilenet_v3_small takes charts"
    ):
        Hyperparameters.read({**config, **NETWORK})
    Hyperparameters.read({**NETWORK, "mixup": 0.2, "noise": 0.0, "similar_lengths": True})


def another(parameter: Parameter) -> Scalar:
    if parameter.kind == "boolean":
        return not parameter.default
    return 0.5 if parameter.kind == "float" else parameter.choices[1]


def test_every_augmentation_but_mixup_is_of_signals_alone() -> None:
    said = {name for name, one in known_parameters().items() if one.help.startswith("augmentation: ")}
    assert said - {"mixup"} == set(OF_SIGNALS) - {"normalise", "single_lead"}


def test_weights_that_learnt_from_other_charts_are_refused(full: Path, tmp_path: Path) -> None:
    larger = with_charts(tiny_store(multilabel=False), ChartForm(("4x3",), 96))
    with pytest.raises(ValueError, match=r"processed alike: the checkpoint's were .*'pixels': 64.*'pixels': 96"):
        run(TinyFit(config=NETWORK, directory=tmp_path, start_from=full), larger)


def test_charts_beside_the_signals_change_no_fit_on_signals(tmp_path: Path) -> None:
    """Nor what its checkpoint holds: weights of a store without charts are a start for one with them."""
    plain = tiny_store(multilabel=False)
    first = run(TinyFit(config={}, directory=tmp_path / "plain", max_steps=1), plain)[1]
    second = run(TinyFit(config={}, directory=tmp_path / "charts", max_steps=1), STORE)[1]
    one, other = read_checkpoint(first), read_checkpoint(second)
    assert {} == one.processing == other.processing
    assert all(torch.equal(value, other.weights[name]) for name, value in one.weights.items())


def test_a_store_without_charts_is_refused(tmp_path: Path) -> None:
    bare = replace(STORE, charts=None)
    with pytest.raises(ValueError, match=r"^mobilenet_v3_small takes charts, and tiny has none"):
        run(TinyFit(config=NETWORK, directory=tmp_path), bare)
