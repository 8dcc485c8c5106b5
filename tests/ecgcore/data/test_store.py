import json

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.record import read_record
from tests.ecgcore.raw_files import small_source


@pytest.fixture
def source(tmp_path):
    return small_source(tmp_path / "source")


@pytest.fixture
def prepared(source, tmp_path):
    prepare(source, tmp_path / "store", StoreRequest(rule=SplitRule(folds=2), leads=("II", "I")))
    return tmp_path / "store"


def test_signals_come_back_in_the_leads_asked_for(prepared, source):
    store = open_store(prepared)

    for index in (0, 7, len(store.records) - 1):
        name = store.records.ids[index]
        raw = read_record(source.directory / name, name=name, patient="", labels=())
        assert np.array_equal(store.records.signal(index), raw.signal[[1, 0]])
    assert (store.leads, store.rate, store.multilabel, store.classes) == (("II", "I"), 100.0, False, ("calm", "wild"))


def test_a_signal_is_a_view_that_cannot_be_written(prepared):
    with pytest.raises(ValueError, match="read-only"):
        open_store(prepared).records.signal(0)[0, 0] = 1


def test_labels_are_one_hot_where_classes_exclude_each_other(prepared):
    labels = open_store(prepared).records.labels

    assert labels.dtype == np.float32
    assert set(labels.sum(axis=1)) == {1.0}


def test_splits_index_the_records_of_the_store(prepared):
    store = open_store(prepared)

    for split in store.splits:
        assert sorted([*split.train, *split.validation]) == list(range(len(store.records)))


def test_a_folder_without_a_store_is_refused_with_the_command(tmp_path):
    with pytest.raises(ValueError, match=r"is not a prepared store: .* `orchestrate data prepare --reader"):
        open_store(tmp_path)


@pytest.mark.parametrize("name", ["index.csv", "signals.f32", "splits.json"])
def test_a_missing_or_shortened_file_is_refused(prepared, name):
    whole = (prepared / name).read_bytes()
    (prepared / name).write_bytes(whole[:-4])
    with pytest.raises(ValueError, match=f"{name} must have {len(whole)} bytes, but has {len(whole) - 4}"):
        open_store(prepared)
    (prepared / name).unlink()
    with pytest.raises(ValueError, match=f"{name} is missing; prepare the store again with --replace"):
        open_store(prepared)


def test_a_changed_label_is_refused(prepared):
    index = prepared / "index.csv"
    index.write_text(index.read_text().replace("calm", "wild", 1))

    with pytest.raises(ValueError, match=r"index\.csv was changed"):
        open_store(prepared)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1, "content_hash": "x"}', '{"format": 99, "content_hash": ""}']
)
def test_a_manifest_that_is_none_is_refused(prepared, text):
    (prepared / "manifest.json").write_text(text)

    with pytest.raises(ValueError, match=r"manifest\.json.*--replace"):
        open_store(prepared)


def test_a_manifest_with_other_content_is_refused(prepared):
    manifest = json.loads((prepared / "manifest.json").read_text())
    manifest["content"]["rate"] = 200.0
    (prepared / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(ValueError, match="content hash does not fit"):
        open_store(prepared)
