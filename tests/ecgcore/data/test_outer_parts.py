"""The open records divided anew: who is in an outer part, and what is left of the folds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgcore.data.outer_parts import OuterPart, without_outer
from ecgcore.data.store import Split
from ecgcore.training.checkpoints import read_checkpoint
from ecgcore.training.out_of_fold import calibration_of
from ecgcore.training.start_weights import refuse_seen
from tests.ecgcore.tiny import TinyFit, fingerprint, run, tiny_store

STORE = tiny_store(records=120, lengths=(100, 64))


@pytest.mark.parametrize("text", ["", "3", "a/b", "5/5", "0/1", "0/0", "1/7", "-1/5", "10/10", "1/12", "1 / 5", 3])
def test_what_is_no_part_of_so_many_is_refused_with_rule_and_value(text):
    with pytest.raises(ValueError, match=r"outer: must be i/n with n from 2 to 5 or a multiple of 5, .* got "):
        OuterPart.read(text)


@pytest.mark.parametrize(("count", "share"), [(2, 1 / 2), (4, 1 / 4), (5, 1 / 5), (10, 1 / 5), (15, 1 / 5)])
def test_the_parts_of_a_repeat_are_a_division_with_like_shares(count, share):
    parts = [OuterPart(number, count).of(STORE.records, multilabel=True) for number in range(count)]
    a_repeat = round(1 / share)
    for begin in range(0, count, a_repeat):
        assert sorted(np.concatenate(parts[begin : begin + a_repeat])) == list(range(120))
    for part in parts:
        assert len(part) == pytest.approx(120 * share, abs=6)
        assert STORE.records.labels[part].mean(axis=0) == pytest.approx(STORE.records.labels.mean(axis=0), abs=0.15)
    drawn = {tuple(part) for part in parts}
    assert len(drawn) == count  # repeats are drawn anew


def test_the_same_part_is_the_same_again_and_has_a_hash_of_its_own():
    hashes = {without_outer(STORE, OuterPart(number, 10))[0].content_hash for number in range(10)}
    assert len(hashes | {STORE.content_hash}) == 11
    assert without_outer(STORE, OuterPart(3, 10))[0].content_hash in hashes
    assert without_outer(STORE, OuterPart(3, 5))[0].content_hash not in hashes


@pytest.mark.parametrize("number", range(5))
def test_nobody_of_an_outer_part_is_in_a_fold_and_the_rest_is_as_it_was(number):
    inner, held = without_outer(STORE, OuterPart(number, 5))

    assert set(inner.records.ids) | set(held.ids) == set(STORE.records.ids)
    assert not set(inner.records.patients) & set(held.patients)
    for before, after in zip(STORE.splits, inner.splits, strict=True):
        for all_of, rest in ((before.train, after.train), (before.validation, after.validation)):
            expected = [STORE.records.ids[index] for index in all_of if STORE.records.ids[index] not in held.ids]
            assert [inner.records.ids[index] for index in rest] == expected
    for some in (inner.records, held):
        for index, name in enumerate(some.ids):
            before_index = STORE.records.ids.index(name)
            assert (some.signal(index) == STORE.records.signal(before_index)).all()
            assert (some.labels[index] == STORE.records.labels[before_index]).all()
            assert fingerprint(some.signal(index)) == some.fingerprints[index]


def test_a_recording_under_two_patients_is_on_one_side():
    copied = STORE.records.fingerprints.copy()
    copied[100] = copied[0]  # of p1-0 and p1-50
    records = replace(STORE.records, fingerprints=copied)
    for number in range(5):
        part = OuterPart(number, 5).of(records, multilabel=True)
        assert np.isin([0, 1, 100, 101], part).sum() in (0, 4)


def test_a_fold_that_would_be_empty_and_too_few_patients_are_refused():
    _, held = without_outer(STORE, OuterPart(0, 5))
    indices = np.array([STORE.records.ids.index(name) for name in held.ids])
    alone = replace(STORE, splits=(Split(np.setdiff1d(np.arange(120), indices), indices),))
    with pytest.raises(ValueError, match=r"outer: must leave every fold .* leaves fold 0 96 and 0; prepare it with"):
        without_outer(alone, OuterPart(0, 5))
    with pytest.raises(ValueError, match=r"at most as many parts as there are patients \(3\), got 0/5"):
        without_outer(tiny_store(records=6), OuterPart(0, 5))


def test_weights_that_saw_an_outer_record_are_no_start(tmp_path: Path):
    """An earlier stage on the same store, not divided; and one that was divided alike, which is one."""
    inner, held = without_outer(STORE, OuterPart(1, 5))
    _, whole = run(TinyFit(config={}, directory=tmp_path / "whole", max_steps=1), STORE)
    _, divided = run(TinyFit(config={}, directory=tmp_path / "divided", max_steps=1), inner)
    names = "|".join(held.ids)
    with pytest.raises(ValueError, match=rf"trained on \d+ outer records: ({names}), "):
        run(TinyFit(config={}, directory=tmp_path / "next", max_steps=1, start_from=whole), inner)
    run(TinyFit(config={}, directory=tmp_path / "next", max_steps=1, start_from=divided), inner)
    with pytest.raises(ValueError, match="outer records"):
        refuse_seen(whole, STORE.records.fingerprints, held, np.arange(len(held)), part="outer")


@pytest.mark.parametrize("config", [{"normalise": "train", "sampling": "balanced"}, {"train": "random_backbone"}])
@pytest.mark.parametrize("final", [False, True])
def test_what_an_outer_part_holds_changes_no_bit_of_a_fit(config, final, monkeypatch, tmp_path):
    """Other signals and labels there: the same weights, scores and calibration; without the division, others."""
    part = OuterPart(2, 5).of(STORE.records, multilabel=True)
    monkeypatch.setattr(OuterPart, "of", lambda self, records, *, multilabel: part)  # it goes by labels, too
    labels, samples = STORE.records.labels.copy(), STORE.records.samples.copy()
    labels[part] = 1 - labels[part]
    ends = 2 * np.cumsum(STORE.records.lengths)
    for index in part:
        samples[ends[index] - 2 * STORE.records.lengths[index] : ends[index]] += 3
    planted = replace(STORE, records=replace(STORE.records, labels=labels, samples=samples))
    fit = TinyFit(config=config, directory=tmp_path, max_steps=1, final=final)

    results = []
    for number, store in enumerate((STORE, planted)):
        for divided in (True, False):
            used = without_outer(store, OuterPart(2, 5))[0] if divided else store
            metrics, path = run(replace(fit, directory=tmp_path / f"{number}{divided}"), used)
            calibration = None if final else calibration_of([path], used, averaged=1)
            weights = {name: value.tolist() for name, value in read_checkpoint(path).weights.items()}
            results.append((metrics, weights, calibration))

    assert results[0] == results[2]
    assert results[1] != results[3]
