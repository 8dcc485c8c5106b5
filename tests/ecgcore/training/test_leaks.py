"""Whoever is in two parts is caught: when records are divided, and again whenever a store is opened."""

import json

import numpy as np
import pytest

from ecgcore.data.manifest import digest_of, file_facts
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.labels_csv import own_source
from tests.ecgcore.raw_files import noise, small_source, write_wfdb


@pytest.fixture
def source(tmp_path):
    return small_source(tmp_path / "source")


def forge(store, change):
    """Change files of a store, and make its manifest believe that they were written so."""
    change(store)
    path = store / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in manifest["content"]["files"]:
        facts = file_facts(store / name)
        manifest["content"]["files"][name] = {"bytes": facts.bytes, "sha256": facts.sha256}
    unsaid = {"processing": {}, "divided_by": "patient"}  # of what is as it was before there was a choice
    content = {key: value for key, value in manifest["content"].items() if unsaid.get(key, ...) != value}
    manifest["content_hash"] = digest_of(content)
    path.write_text(json.dumps(manifest))


def prepared(source, folder, **rule):
    prepare(source, folder, StoreRequest(rule=SplitRule(**{"folds": 2, **rule}), leads=("I", "II")))
    return folder


def test_a_patient_in_two_folds_of_a_table_is_refused_when_divided(source, tmp_path):
    rows = [f"{r.name},{r.patient},{r.labels[0]},{'ab'[i % 2]}" for i, r in enumerate(source.records)]
    (source.directory / "labels.csv").write_text("\n".join(["record,patient,labels,fold", *rows]) + "\n")

    with pytest.raises(
        ValueError, match=r"no patient may be in two parts, but train of fold 0 and validation of fold 0"
    ):
        prepare(own_source(source.directory), tmp_path / "s", StoreRequest(rule=SplitRule(), leads=("I", "II")))

    assert not (tmp_path / "s").exists()


def test_a_patient_who_was_moved_into_two_folds_is_caught_when_the_store_is_opened(source, tmp_path):
    def move(store):
        splits = json.loads((store / "splits.json").read_text())
        splits[1]["train"].append(splits[1]["validation"][0])
        (store / "splits.json").write_text(json.dumps(splits))

    store = prepared(source, tmp_path / "s")
    forge(store, move)

    with pytest.raises(ValueError, match=r"no patient may be in two parts, but train of fold 1 of .* share 1: pat0"):
        open_store(store)


def test_a_copied_signal_across_folds_is_caught_when_the_store_is_opened(source, tmp_path):
    def copy(store):
        split = json.loads((store / "splits.json").read_text())[0]
        rows = (store / "index.csv").read_text().splitlines()
        one, other = rows[1 + split["train"][0]].split(","), rows[1 + split["validation"][0]].split(",")
        rows[1 + split["validation"][0]] = ",".join([*other[:-1], one[-1]])
        (store / "index.csv").write_text("\n".join(rows) + "\n")

    store = prepared(source, tmp_path / "s")
    forge(store, copy)

    with pytest.raises(
        ValueError, match=r"no signal may be in two parts, but train of fold 0 of .* share 1: [0-9a-f]{16}"
    ):
        open_store(store)


def test_a_changed_split_file_is_caught_by_its_hash(source, tmp_path):
    store = prepared(source, tmp_path / "s")
    splits = json.loads((store / "splits.json").read_text())
    splits[0], splits[1] = splits[1], splits[0]
    (store / "splits.json").write_text(json.dumps(splits) + "\n")

    with pytest.raises(ValueError, match=r"splits\.json was changed"):
        open_store(store)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_copy_under_another_patient_is_on_one_side_of_every_drawn_split(tmp_path, repeats):
    small_source(tmp_path / "source")
    write_wfdb(tmp_path / "source", "rec039x", noise(0))

    store = open_store(prepared(own_source(tmp_path / "source"), tmp_path / "s", repeats=repeats, test_share=0))

    assert len(store.splits) == 2 * repeats
    copies = [store.records.ids.index(name) for name in ("rec000x", "rec039x")]
    for split in store.splits:
        assert np.isin(copies, split.train).sum() in (0, 2)
