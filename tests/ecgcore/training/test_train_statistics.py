"""What is measured, and the leaks of the issue: each made to happen, each caught."""

from dataclasses import replace

import numpy as np
import pytest

from ecgcore.data.store import Split
from ecgcore.training.checkpoints import read_checkpoint
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.fold_parts import choose_part, refuse_judged
from ecgcore.training.one_fit import train
from ecgcore.training.train_statistics import measure
from tests.ecgcore.tiny import Heard, TinyFit, run, tiny_records, tiny_store

STORE = tiny_store(lengths=(100, 73))


def test_the_scale_is_that_of_all_samples_of_each_lead():
    records = tiny_records(6, seed=1, multilabel=True, lengths=(60, 41))
    found = measure(records, np.array([0, 2, 5]), scale=True)
    every = np.concatenate([records.signal(index) for index in (0, 2, 5)], axis=1)
    assert found.mean == pytest.approx(every.mean(axis=1), abs=1e-6)
    assert found.deviation == pytest.approx(every.std(axis=1), abs=1e-6)


def test_missing_leads_do_not_shrink_the_scale():
    records = tiny_records(2, seed=1, multilabel=True)
    silent = records.samples.copy()
    silent[100:200] = 0  # lead II of record 0
    found = measure(replace(records, samples=silent), np.array([0, 1]), scale=True)
    assert found.deviation[1] == pytest.approx(records.signal(1)[1].std(), abs=1e-3)


def test_a_normalisation_fitted_on_validation_is_caught_and_the_records_named():
    part = choose_part(TinyFit(config={}, directory=STORE.directory), STORE)
    leaky = measure(STORE.records, np.concatenate([part.train, part.validation[:2]]), scale=True)
    names = ", ".join(STORE.records.ids[index] for index in part.validation[:2])
    with pytest.raises(ValueError, match=f"chosen by the train part alone, but 2 validation records .*: {names}"):
        refuse_judged(leaky, STORE, part)
    refuse_judged(measure(STORE.records, part.train, scale=True), STORE, part)


def test_a_label_set_chosen_on_validation_is_caught_and_the_records_named():
    """A class that only the validation part has becomes one of those scored if that part is looked at."""
    labels = STORE.records.labels.copy()
    part = choose_part(TinyFit(config={}, directory=STORE.directory), STORE)
    labels[part.train, 2] = 0
    labels[part.validation, 2] = np.arange(len(part.validation)) % 2
    store = replace(STORE, records=replace(STORE.records, labels=labels))
    honest = measure(store.records, part.train, scale=False)
    leaky = measure(store.records, np.arange(len(store.records)), scale=False)
    assert (honest.learnable.tolist(), leaky.learnable.tolist()) == ([True, True, False], [True, True, True])
    refuse_judged(honest, store, part)
    with pytest.raises(ValueError, match=f"the classes that are scored .* {len(part.validation)} validation records"):
        refuse_judged(leaky, store, part)


@pytest.mark.parametrize("final", [False, True])
def test_a_class_that_is_missing_in_the_train_part_is_refused_before_training(tmp_path, final):
    labels = STORE.records.labels.copy()
    labels[slice(None) if final else STORE.splits[0].train, 2] = 0
    without = replace(STORE, records=replace(STORE.records, labels=labels))
    heard = Heard()
    part = "what a final is trained on" if final else "train of fold 0"
    with pytest.raises(ValueError, match=rf"tiny: {part} has no record of rapid, .* or with a label map"):
        train(TinyFit(config={}, directory=tmp_path, final=final), heard, without, FeatureCache())
    assert not heard.metrics


def test_a_copy_of_a_patient_or_of_a_signal_in_both_parts_is_refused_by_the_fit(tmp_path):
    split = STORE.splits[0]
    shared = Split(np.concatenate([split.train, split.validation[:1]]), split.validation)
    with pytest.raises(ValueError, match="no patient may be in two parts") as error:
        run(TinyFit(config={}, directory=tmp_path), replace(STORE, splits=(shared,)))
    assert "no signal may be in two parts" in str(error.value)


@pytest.mark.parametrize("normalise", ["none", "record", "train"])
def test_no_bit_of_the_weights_depends_on_the_validation_part(normalise, tmp_path):
    """Other validation signals and labels: same normalisation, class weights, sampling, schedule, weights."""
    held = STORE.splits[0].validation
    labels, samples = STORE.records.labels.copy(), STORE.records.samples.copy()
    labels[held] = labels[held][::-1]
    ends = np.cumsum(STORE.records.lengths) * STORE.records.leads
    samples[ends[held[0] - 1] :] *= 30
    other = replace(STORE, records=replace(STORE.records, labels=labels, samples=samples))
    config = {"normalise": normalise, "sampling": "balanced", "averaging": 0.9, "similar_lengths": True}
    weights = []
    for number, store in enumerate((STORE, other)):
        _, path = run(TinyFit(config=config, directory=tmp_path / str(number), max_steps=2), store)
        weights.append(read_checkpoint(path).weights)
    assert all(np.array_equal(value, weights[1][name]) for name, value in weights[0].items())
