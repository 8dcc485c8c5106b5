from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax

from ecgcore.data.batches import gather
from ecgcore.data.store import Store
from ecgcore.scores.calibration import Calibration
from ecgcore.serving.ensemble import QUESTION, ensemble_of
from ecgcore.serving.exported import export, load
from ecgcore.training.checkpoints import read_checkpoint, write_checkpoint, write_tensors
from tests.ecgcore.tiny import TinyFit, probabilities_in, run, tiny_store, with_classes

CALIBRATION = Calibration(temperature=2.0, shift=(0.5, 0.0, -1.0), thresholds=(0.3, 0.2, 0.5))


def finals(store: Store, directory: Path) -> list[Path]:
    """Two finals, a seed each."""
    fits = [TinyFit(config={}, directory=directory / str(seed), seed=seed, max_steps=1, final=True) for seed in (1, 2)]
    return [run(fit, store)[1] for fit in fits]


@pytest.mark.parametrize("multilabel", [True, False])
def test_the_exported_model_answers_with_the_calibrated_mean_of_probabilities(multilabel, tmp_path):
    store = tiny_store(multilabel=multilabel)
    paths = finals(store, tmp_path)
    signature = export(paths, tmp_path / "model", CALIBRATION)
    signals = np.stack([store.records.signal(index) for index in range(5)])

    answers = load(tmp_path / "model")(signals)

    ensemble, _ = ensemble_of(paths, CALIBRATION)
    members = ensemble.by_member(torch.tensor(signals), torch.full((5,), 100))
    mean = members.mean(axis=0)
    shifted = (logit(mean) if multilabel else np.log(mean)) + np.array(CALIBRATION.shift)
    expected = expit(shifted / 2) if multilabel else softmax(shifted / 2, axis=1)
    assert probabilities_in(answers) == pytest.approx(expected, abs=1e-6)
    assert ensemble.answer(members) == pytest.approx(expected, abs=1e-12)
    assert not np.allclose(members[0], members[1])
    assert list(answers) == ["probability_slow", "probability_quick", "probability_rapid", "decision"]
    assert answers["probability_slow"].dtype == np.float32
    assert signature == {
        "input_shape": "-1,-1,-1",
        "input_dtype": "float32",
        "options": '{"sampling_rate": 50.0, "leads": ["I", "II"], "unit": "mV"}',
        "output_columns": '{"probability_slow": "float", "probability_quick": "float", "probability_rapid": "float", '
        '"decision": "string"}',
        "classes": "slow,quick,rapid",
        "leads": "I,II",
        "rate": 50.0,
        "seconds": "0,inf",
        "unit": "mV",
        "processing": "",
        "calibration": "class prior, temperature 2",
        "thresholds": "0.3,0.2,0.5",
        "decision": "probability >= threshold" if multilabel else "largest probability / threshold",
    }


@pytest.mark.parametrize("multilabel", [True, False])
def test_a_model_of_members_with_calibrations_of_their_own_answers_as_it_did(multilabel, tmp_path):
    """What earlier versions wrote: each member's logits are divided by its temperature, then averaged."""
    store = tiny_store(multilabel=multilabel)
    paths = [_with_own(path, number) for number, path in enumerate(finals(store, tmp_path), start=1)]
    read = [read_checkpoint(path) for path in paths]
    members = [{"config": dict(one.config), "weights": dict(one.weights), **OWN[n]} for n, one in enumerate(read, 1)]
    question = {name: getattr(read[0], name) for name in QUESTION}
    write_tensors(tmp_path / "old" / "model.pt", {"members": members, **question})
    batch = gather(store.records, np.arange(4))

    ensemble, _ = ensemble_of(paths)

    logits = [
        member.model(*batch).detach().numpy().astype(np.float64) / n for n, member in enumerate(ensemble.members, 1)
    ]
    expected = np.mean([expit(one) if multilabel else softmax(one, axis=1) for one in logits], axis=0)
    assert ensemble.answer(ensemble.by_member(*batch)) == pytest.approx(expected, abs=1e-6)
    assert load(tmp_path / "old")(batch.signals.numpy()) == pytest.approx(expected, abs=1e-6)
    assert ensemble.calibration.thresholds == pytest.approx((0.3, 0.4, 0.5))
    assert {member.temperature for member in ensemble_of(paths, CALIBRATION)[0].members} == {1.0}


OWN = {
    1: {"temperature": 1.0, "thresholds": (0.2, 0.4, 0.4)},
    2: {"temperature": 2.0, "thresholds": (0.4, 0.4, 0.6)},
}


def _with_own(path: Path, number: int) -> Path:
    write_checkpoint(path, replace(read_checkpoint(path), calibration=Calibration(**OWN[number])))
    return path


def test_it_takes_any_number_of_records_of_any_length(tmp_path):
    export(finals(tiny_store(), tmp_path), tmp_path)
    predict = load(tmp_path)
    signals = np.random.default_rng(0).normal(size=(130, 2, 77))
    one = probabilities_in(predict(signals[129:]))[0]
    assert probabilities_in(predict(signals))[129] == pytest.approx(one, abs=1e-6)
    assert probabilities_in(predict(signals[:0])).shape == (0, 3)


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
