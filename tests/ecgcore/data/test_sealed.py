import json
import shutil

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.sealed import names_of_sealed, open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.signals.processing import Processing
from ecgcore.task import ArrhythmiaTask
from tests.ecgcore.raw_files import small_source


@pytest.fixture
def prepared(tmp_path):
    source = small_source(tmp_path / "source")
    prepare(source, tmp_path / "store", StoreRequest(rule=SplitRule(folds=2), leads=("I", "II")))
    return tmp_path / "store"


def test_sealed_and_open_records_are_all_records(prepared):
    sealed, store = open_sealed(prepared), open_store(prepared)

    assert sorted(sealed.ids + store.records.ids) == [f"rec{number:03d}x" for number in range(40)]
    assert not set(sealed.patients) & set(store.records.patients)
    assert sealed.labels.shape == (8, 2)
    assert sealed.signal(7).shape == (2, 200)


def test_nothing_of_a_sealed_record_is_outside_sealed(prepared):
    """Neither its name nor its patient nor its signal is in any other file of the store; only how many there are."""
    sealed = open_sealed(prepared)
    others = [path for path in prepared.iterdir() if path.is_file()]

    assert {path.name for path in others} == {"manifest.json", "index.csv", "signals.f32", "splits.json"}
    for path in others:
        held = path.read_bytes()
        for index in range(len(sealed)):
            assert sealed.ids[index].encode() not in held
            assert sealed.patients[index].encode() not in held
            assert str(sealed.fingerprints[index]).encode() not in held
            assert sealed.signal(index)[0].tobytes() not in held


def test_the_manifest_counts_open_records_and_of_sealed_ones_only_how_many(prepared):
    manifest = json.loads((prepared / "manifest.json").read_text())

    assert (manifest["content"]["records"], manifest["content"]["patients"], manifest["sealed_records"]) == (32, 16, 8)
    assert {part.split()[0] for part in manifest["content"]["counts"]} == {"train", "validation"}


def test_only_the_owner_may_enter_sealed(prepared):
    assert (prepared / "sealed").stat().st_mode & 0o777 == 0o700


def test_without_sealed_the_store_opens_and_the_test_part_says_why_not(prepared):
    shutil.rmtree(prepared / "sealed")

    assert len(open_store(prepared).records) == 32
    with pytest.raises(ValueError, match=r"has no index\.csv and no signals\.f32; put the folder back"):
        open_sealed(prepared)


@pytest.mark.parametrize("name", ["index.csv", "signals.f32"])
def test_a_changed_sealed_file_is_refused(prepared, name):
    path = prepared / "sealed" / name
    held = bytearray(path.read_bytes())
    held[-5] ^= 1
    path.write_bytes(held)

    with pytest.raises(ValueError, match="was changed after it was sealed"):
        open_sealed(prepared)


def test_a_store_without_a_test_part_says_so(tmp_path):
    source = small_source(tmp_path / "source")
    prepare(source, tmp_path / "store", StoreRequest(rule=SplitRule(folds=2, test_share=0), leads=("I", "II")))

    assert len(open_store(tmp_path / "store").records) == 40
    with pytest.raises(ValueError, match="was prepared without a test part"):
        open_sealed(tmp_path / "store")


def test_the_sealed_part_is_labelled_in_the_classes_of_the_store(prepared):
    sealed, store = open_sealed(prepared), open_store(prepared)

    assert sealed.labels.shape[1] == len(store.classes)
    assert np.array_equal(sealed.labels.sum(axis=1), np.ones(8))


@pytest.mark.parametrize(
    "other",
    [
        StoreRequest(rule=SplitRule(folds=3), leads=("I", "II")),
        StoreRequest(rule=SplitRule(folds=2), leads=("II",)),
        StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"), processing=Processing(half=True)),
        StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"), processing=Processing(band_pass=(1.0, 30.0))),
        StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"), rate=50.0),
    ],
    ids=["other folds", "other leads", "16 bits", "a filter", "another rate"],
)
def test_a_record_of_the_test_part_is_known_again_in_any_store_of_the_same_recordings(prepared, tmp_path, other):
    prepare(small_source(tmp_path / "source"), tmp_path / "other", other)
    both = set(open_sealed(prepared).ids) & set(open_sealed(tmp_path / "other").ids)

    shared = set(names_of_sealed(prepared)) & set(names_of_sealed(tmp_path / "other"))

    assert both
    assert len(both) <= len(shared) <= 2 * len(both)


def test_of_a_task_with_an_outer_part_nothing_sealed_is_opened(prepared):
    shutil.rmtree(prepared / "sealed")

    assert not ArrhythmiaTask(data=prepared, outer="0/2").sealed_records()
    with pytest.raises(ValueError, match="put the folder back"):
        ArrhythmiaTask(data=prepared).sealed_records()


def test_openings_are_written_down_where_a_store_that_is_written_anew_leaves_them(prepared, tmp_path):
    file = ArrhythmiaTask(data=prepared).openings_file()
    file.write_text("opened\n")
    request = StoreRequest(rule=SplitRule(folds=3), leads=("I", "II"))

    prepare(small_source(tmp_path / "source"), prepared, request, replace=True)

    assert "opened\n" == file.read_text()
