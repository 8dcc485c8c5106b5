from pathlib import Path

import pytest
import torch

from ecgcore.serving.exported import export
from ecgcore.training.checkpoints import read_checkpoint, read_tensors, write_tensors
from tests.ecgcore.tiny import TinyFit, run, tiny_store

SOURCE, STORE = tiny_store(seed=50), tiny_store(seed=1)
STILL = {"learning_rate": 1e-8, "weight_decay": 0.0}  # a fit that stays where it started


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two fits of one store, which started from different draws."""
    places = [tmp_path_factory.mktemp(f"member{seed}") for seed in (0, 1)]
    return [
        run(TinyFit(config={}, directory=place, max_steps=1, seed=seed), SOURCE)[1] for seed, place in enumerate(places)
    ]


def test_a_fit_starts_from_the_member_that_its_seed_draws(members, tmp_path):
    export(members, tmp_path)
    name = "backbone.first.convolution.weight"
    for seed in (4, 7):
        for start in (tmp_path, tmp_path / "model.pt"):
            fit = TinyFit(config=STILL, directory=tmp_path / str(seed), start_from=start, max_steps=1, seed=seed)
            metrics, path = run(fit, STORE)
            expected = read_checkpoint(members[seed % 2]).weights[name]
            assert torch.allclose(read_checkpoint(path).weights[name], expected, atol=1e-5)
            assert "unknown_history" not in metrics[-1]


def test_a_model_knows_what_its_members_saw(members, tmp_path):
    export(members, tmp_path)
    with pytest.raises(ValueError, match="its weights, or those it started from, were trained on 8 validation records"):
        run(TinyFit(config={}, directory=tmp_path / "fit", start_from=tmp_path, fold=1), SOURCE)


def test_a_model_that_does_not_say_what_it_saw_is_of_unknown_history_two_stages_later(members, tmp_path):
    export(members, tmp_path)
    content = read_tensors(tmp_path / "model.pt")
    del content["fingerprints"], content["unknown_history"]
    write_tensors(tmp_path / "model.pt", content)

    start = tmp_path
    for place in ("first", "second"):
        metrics, start = run(TinyFit(config={}, directory=tmp_path / place, start_from=start, max_steps=1), STORE)
        assert 1.0 == metrics[-1]["unknown_history"]
        assert read_checkpoint(start).unknown_history
    export([start], tmp_path / "second")
    assert read_tensors(tmp_path / "second" / "model.pt")["unknown_history"]
