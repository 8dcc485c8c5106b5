import pickle
from pathlib import Path

import pytest
import torch

from ecgcore.training.checkpoints import read_checkpoint, write_tensors
from tests.ecgcore.tiny import TinyFit, run, tiny_store


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fit = TinyFit(config={"model": "cnn1d"}, directory=tmp_path_factory.mktemp("fit"), max_steps=1)
    return run(fit, tiny_store())[1]


def test_it_says_what_was_trained_how_and_on_what(checkpoint):
    store = tiny_store()
    read = read_checkpoint(checkpoint)
    assert (read.step, read.max_steps, read.seed, read.fold) == (1, 1, 7, 0)
    assert (read.classes, read.leads, read.rate, read.data) == (
        store.classes,
        store.leads,
        store.rate,
        store.content_hash,
    )
    assert read.config["learning_rate"] == 1e-3
    assert set(read.fingerprints) == set(store.records.fingerprints[store.splits[0].train])
    assert read.predictions is not None
    assert read.predictions.ids == tuple(store.records.ids[index] for index in store.splits[0].validation)
    assert (read.predictions.labels == store.records.labels[store.splits[0].validation]).all()


def test_a_cut_file_is_refused_by_name(checkpoint, tmp_path):
    cut = tmp_path / "cut.pt"
    cut.write_bytes(checkpoint.read_bytes()[:-5000])
    with pytest.raises(ValueError, match=r"cut\.pt: damaged .*; delete it"):
        read_checkpoint(cut)


def test_one_flipped_bit_in_a_weight_is_noticed(checkpoint, tmp_path):
    content = bytearray(checkpoint.read_bytes())
    weight = read_checkpoint(checkpoint).weights["backbone.third.convolution.weight"].numpy().tobytes()
    content[bytes(content).index(weight) + 100] ^= 1
    flipped = tmp_path / "flipped.pt"
    flipped.write_bytes(content)
    with pytest.raises(ValueError, match=r"flipped\.pt: damaged \(checksum of"):
        read_checkpoint(flipped)


def test_a_missing_file_and_another_kind_of_file_are_told_apart(tmp_path):
    with pytest.raises(ValueError, match=r"none\.pt: no such file"):
        read_checkpoint(tmp_path / "none.pt")
    write_tensors(tmp_path / "other.pt", {"members": []})
    with pytest.raises(ValueError, match=r"other\.pt: not a checkpoint of a fit"):
        read_checkpoint(tmp_path / "other.pt")
    torch.save({"version": 99}, tmp_path / "newer.pt")
    with pytest.raises(ValueError, match=r"newer\.pt: must have format version 1, got 99"):
        read_checkpoint(tmp_path / "newer.pt")


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.mkdir, (Path("harmed"),)  # type: ignore[return-value]


def test_a_file_that_would_run_code_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"version": 1, "weights": Harmful()}, tmp_path / "harmful.pt", pickle_module=pickle)
    with pytest.raises(ValueError, match=r"harmful\.pt: damaged"):
        read_checkpoint(tmp_path / "harmful.pt")
    assert not (tmp_path / "harmed").exists()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    write_tensors(path, {"a": torch.zeros(2)})
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_tensors(path, {"a": torch.ones(2)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
