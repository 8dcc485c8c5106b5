import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ecgcore.training.checkpoints import read_checkpoint
from ecgcore.training.published_start import renamed
from tests.ecgcore.tiny import TinyFit, run, tiny_store

STORE = tiny_store(seed=1)
STILL = {"learning_rate": 1e-8, "weight_decay": 0.0}  # a fit that stays where it started
HERE, THERE = "backbone.first.convolution.weight", "features.first.convolution.weight"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights of another fit, under the names of a repository that calls the backbone `features`."""
    path = run(TinyFit(config={}, directory=tmp_path_factory.mktemp("theirs"), max_steps=1, seed=3), STORE)[1]
    weights = read_checkpoint(path).weights
    return {
        name.replace("backbone.", "features.").replace("head.", "fc."): value
        for name, value in weights.items()
        if not name.startswith("normalisation.")
    }


def told(folder: Path, content: Any, *, partial: bool = False, **names: str | None) -> Path:
    torch.save(content, folder / "theirs.pth")
    path = folder / "start.json"
    path.write_text(json.dumps({"weights": str(folder / "theirs.pth"), "names": names, "partial": partial}))
    return path


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("features.0.weight", "backbone.first.weight"),
        ("features.1.weight", "backbone.1.weight"),
        ("fc.weight", None),
        ("features0.weight", "features0.weight"),
    ],
)
def test_the_longest_beginning_decides_what_a_weight_is_called_here(name: str, here: str | None) -> None:
    assert here == renamed(name, {"features": "backbone", "features.0": "backbone.first", "fc": None})


def test_a_fit_starts_from_them_with_a_new_head_and_their_history_is_unknown(theirs, tmp_path):
    start = told(tmp_path, {"state_dict": theirs, "epoch": 3}, features="backbone", fc=None)
    metrics, path = run(TinyFit(config=STILL, directory=tmp_path / "fit", start_from=start, max_steps=1), STORE)
    weights = read_checkpoint(path).weights
    assert torch.allclose(weights[HERE], theirs[THERE], atol=1e-5)
    assert not torch.allclose(weights["head.0.weight"], theirs["fc.0.weight"], atol=1e-3)
    assert 1.0 == metrics[-1]["unknown_history"]


def test_everything_that_does_not_fit_is_named_and_with_partial_left_as_it_was_drawn(theirs, tmp_path):
    wrong = {**theirs, THERE: torch.zeros(2, 2), "extra.weight": torch.zeros(1)}
    del wrong["features.second.convolution.weight"]
    fit = TinyFit(config=STILL, directory=tmp_path / "fit", max_steps=1)
    start = told(tmp_path, wrong, features="backbone", fc=None)
    with pytest.raises(
        ValueError, match=r"backbone.first.convolution.weight: must have shape .*, got \(2, 2\)"
    ) as error:
        run(TinyFit(**{**vars(fit), "start_from": start}), STORE)
    for said in ("extra.weight: the network has no such weight", "second.convolution.weight: no weight leads to it"):
        assert said in str(error.value)

    start = told(tmp_path, wrong, partial=True, features="backbone", fc=None)
    _, path = run(TinyFit(**{**vars(fit), "start_from": start}), STORE)
    assert 2 != len(read_checkpoint(path).weights[HERE])

    nothing = told(tmp_path, {"a": torch.zeros(1)}, partial=True)
    with pytest.raises(ValueError, match="a: the network has no such weight"):
        run(TinyFit(**{**vars(fit), "start_from": nothing}), STORE)


def test_what_is_no_state_dict_is_refused(tmp_path):
    for content in ([1, 2], {"epoch": 3}):
        with pytest.raises(ValueError, match="must hold a state dict, names to tensors"):
            run(TinyFit(config={}, directory=tmp_path, start_from=told(tmp_path, content)), STORE)


def test_they_have_no_head_of_ours_that_could_be_judged_as_it_is(theirs, tmp_path):
    start = told(tmp_path, theirs, features="backbone", fc=None)
    with pytest.raises(ValueError, match="train: none needs a start whose head is known"):
        run(TinyFit(config={"train": "none"}, directory=tmp_path, start_from=start, max_steps=1), STORE)
