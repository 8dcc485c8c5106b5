from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from ecgcore.data.batches import gather
from ecgcore.data.store import Store
from ecgcore.serving.ensemble import ensemble_of, export, load
from ecgcore.training.checkpoints import read_checkpoint
from tests.ecgcore.tiny import TinyFit, run, tiny_store, with_classes


def finals(store: Store, directory: Path) -> list[Path]:
    """Two finals, a seed each, calibrated."""
    _, winner = run(TinyFit(config={}, directory=directory / "search", max_steps=1), store)
    fits = [
        TinyFit(
            config={}, directory=directory / str(seed), seed=seed, max_steps=1, final=True, calibrate_from=(winner,)
        )
        for seed in (1, 2)
    ]
    return [run(fit, store)[1] for fit in fits]


@pytest.mark.parametrize("multilabel", [True, False])
def test_the_exported_model_answers_with_the_mean_of_calibrated_probabilities(multilabel, tmp_path):
    store = tiny_store(multilabel=multilabel)
    paths = finals(store, tmp_path)
    signature = export(paths, tmp_path / "model")
    signals = np.stack([store.records.signal(index) for index in range(5)])

    answer = load(tmp_path / "model")(signals)

    ensemble, _ = ensemble_of(paths)
    members = ensemble.by_member(torch.tensor(signals), torch.full((5,), 100))
    assert answer == pytest.approx(members.mean(axis=0), abs=1e-6)
    assert not np.allclose(members[0], members[1])
    assert answer.dtype == np.float32
    if not multilabel:
        assert answer.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert signature == {
        "input_shape": "-1,2,-1",
        "input_dtype": "float32",
        "output_shape": "-1,3",
        "output_dtype": "float32",
        "classes": "slow,quick,rapid",
        "leads": "I,II",
        "rate": 50.0,
        "unit": "mV",
        "processing": "",
    }


def test_a_members_logits_are_divided_by_its_temperature(tmp_path):
    store = tiny_store()
    paths = finals(store, tmp_path)
    ensemble, _ = ensemble_of(paths)
    batch = gather(store.records, np.arange(4))
    for member, answer, path in zip(ensemble.members, ensemble.by_member(*batch), paths, strict=True):
        calibration = read_checkpoint(path).calibration
        assert calibration is not None
        assert calibration.temperature != 1
        logits = member.model(*batch).detach().numpy()
        assert answer == pytest.approx(expit(logits / calibration.temperature), abs=1e-6)
        assert ensemble.thresholds == pytest.approx(calibration.thresholds)


def test_it_takes_any_number_of_records_of_any_length(tmp_path):
    export(finals(tiny_store(), tmp_path), tmp_path)
    predict = load(tmp_path)
    signals = np.random.default_rng(0).normal(size=(130, 2, 77))
    assert predict(signals)[129] == pytest.approx(predict(signals[129:])[0], abs=1e-6)
    assert predict(signals[:0]).shape == (0, 3)


def test_signals_of_another_shape_or_with_gaps_are_refused(tmp_path):
    export(finals(tiny_store(), tmp_path), tmp_path)
    predict = load(tmp_path)
    with pytest.raises(ValueError, match=r"\(batch, 2 leads: I II, samples\), in mV at 50 Hz, got \(1, 12, 50\)"):
        predict(np.zeros((1, 12, 50)))
    with pytest.raises(ValueError, match="got NaN or infinity"):
        predict(np.full((1, 2, 50), np.nan))


def test_only_answers_to_one_question_are_averaged(tmp_path):
    store = tiny_store()
    paths = [
        run(TinyFit(config={}, directory=tmp_path / str(number), max_steps=1), one)[1]
        for number, one in enumerate((store, with_classes(store, "slow", "quick")))
    ]
    with pytest.raises(ValueError, match="must have classes, leads, rate and processing of"):
        export(paths, tmp_path)
    with pytest.raises(ValueError, match="at least one checkpoint, got none"):
        export([], tmp_path)


def test_a_missing_or_foreign_model_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"model\.pt: no such file"):
        load(tmp_path)
    torch.save({"version": 1, "weights": {}}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt: not an exported model"):
        load(tmp_path)
