from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgcore.scores.calibration import probabilities
from ecgcore.training.checkpoints import read_checkpoint, write_checkpoint
from ecgcore.training.out_of_fold import calibration_of, learnt_shift, out_of_fold
from tests.ecgcore.tiny import TinyFit, run, tiny_store

STORE = tiny_store()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two seeds of two folds, one epoch each."""
    folder = tmp_path_factory.mktemp("judged")
    fits = [
        TinyFit(config={}, directory=folder / f"{seed}-{fold}", seed=seed, fold=fold, max_steps=1)
        for seed in (1, 2)
        for fold in (0, 1)
    ]
    return [run(fit, STORE)[1] for fit in fits]


def test_each_record_has_the_mean_probability_of_the_fits_that_held_it_out(judged):
    read = [read_checkpoint(path) for path in judged]
    held = out_of_fold(judged, read, STORE)
    assert held.scores.shape == (16, 3)  # of 24: a third in each of two folds
    assert 2 == held.members
    assert 1 == out_of_fold(judged[:3], read[:3], STORE).members  # of fold 1 there is one fit only
    name = STORE.records.ids[-1]  # held out by fold 0 of both seeds
    said = []
    for checkpoint in (read[0], read[2]):
        assert checkpoint.predictions is not None
        logits = checkpoint.predictions.logits[checkpoint.predictions.ids.index(name)]
        said.append(probabilities(logits[None], temperature=1.0, multilabel=True)[0])
    assert held.scores[-1] == pytest.approx(np.mean(said, axis=0))
    assert held.patients[-1] == STORE.records.patients[-1]
    assert (held.labels[-1] == STORE.records.labels[-1]).all()


def test_the_calibration_is_the_same_in_any_order_of_the_fits(judged):
    assert calibration_of(judged, STORE, averaged=2) == calibration_of(judged[::-1], STORE, averaged=2)


def test_only_held_out_predictions_of_the_same_store_are_evidence(judged, tmp_path):
    _, final = run(TinyFit(config={}, directory=tmp_path / "final", final=True, max_steps=1), STORE)
    with pytest.raises(ValueError, match="holds no held-out predictions; calibrate from a search's fits"):
        calibration_of([*judged, final], STORE, averaged=1)
    _, other = run(TinyFit(config={}, directory=tmp_path / "other", max_steps=1), tiny_store(seed=5))
    with pytest.raises(ValueError, match="must be of this store's records"):
        calibration_of([*judged, other], STORE, averaged=1)


def test_predictions_of_records_that_the_fit_was_trained_on_are_refused(judged, tmp_path):
    read = read_checkpoint(judged[0])
    write_checkpoint(tmp_path / "c.pt", replace(read, fingerprints=np.sort(STORE.records.fingerprints)))
    with pytest.raises(ValueError, match="were trained on 8 held-out records: r1-16, "):
        calibration_of([tmp_path / "c.pt"], STORE, averaged=1)


@pytest.mark.parametrize(
    ("multilabel", "config", "shifted"),
    [
        (True, {"loss": "bce"}, False),
        (True, {}, True),  # auto: weighted_bce
        (True, {"loss": "focal"}, False),
        (True, {"loss": "bce", "sampling": "balanced"}, True),
        (False, {}, False),
        (False, {"sampling": "balanced"}, True),
        (False, {"loss": "weighted_cross_entropy"}, True),
    ],
)
def test_sampling_and_class_weights_say_what_is_to_be_taken_back(judged, multilabel, config, shifted):
    checkpoint, store = read_checkpoint(judged[0]), tiny_store(multilabel=multilabel)
    labels = np.eye(3, dtype=np.float32)[[0] * 14 + [1] * 7 + [2] * 3]  # 14, 7 and 3 of 24
    store = replace(store, records=replace(store.records, labels=labels))
    shift = learnt_shift(replace(checkpoint, config={**checkpoint.config, "loss": "auto", **config}), store)
    assert bool(shift.any()) == shifted
    if shifted:
        assert shift.argmax() == 0  # the class of most records was made less likely than it is
        assert shift.argmin() == 2


def test_a_model_that_is_taken_as_it_is_is_not_corrected_for_a_mix_that_it_never_saw(judged, tmp_path):
    """Its loss, weighted for several labels, moved nothing."""
    source = tiny_store(seed=50)
    _, start = run(TinyFit(config={}, directory=tmp_path / "source", max_steps=1), source)
    taken = TinyFit(config={"train": "none"}, directory=tmp_path / "none", start_from=start, max_steps=1)
    assert not learnt_shift(read_checkpoint(run(taken, STORE)[1]), STORE).any()
    assert learnt_shift(read_checkpoint(judged[0]), STORE).any()
