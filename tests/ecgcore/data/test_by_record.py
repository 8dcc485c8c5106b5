"""Division by record, as heartbeats are published: a patient is in several parts, and that is said where it counts."""

from dataclasses import replace
from itertools import combinations

import pytest

from ecgcore.data.manifest import read_manifest
from ecgcore.data.outer_parts import OuterPart, without_outer
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.recipe_file import recipe_from
from ecgcore.data.sealed import open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.joined import together
from ecgcore.readers.labels_csv import own_source
from ecgcore.task import ArrhythmiaTask
from tests.ecgcore.data_command import main
from tests.ecgcore.raw_files import noise, small_source, write_table, write_wfdb
from tests.ecgcore.readers.test_registry import write_beats

WARNING = (
    "WARNING: divided by record: one patient's records are in several parts; scores are comparable with published ones "
    "of that protocol, and say nothing about new patients"
)


def owners(records, indices=None):
    """Whose the records of `small_source` are: two in turn are of one patient."""
    names = records.ids if indices is None else [records.ids[index] for index in indices]
    return {int(name[3:6]) // 2 for name in names}


@pytest.fixture
def prepared(tmp_path):
    """Forty records of twenty patients, divided by record into three folds and a test part."""
    prepare(
        small_source(tmp_path / "raw"),
        tmp_path / "s",
        StoreRequest(leads=("I", "II"), rule=SplitRule(by="record", folds=3)),
    )
    return tmp_path / "s"


def test_one_patient_is_in_several_parts_and_no_record_is(prepared):
    store, sealed = open_store(prepared), open_sealed(prepared)

    parts = [owners(store.records, part) for part in (store.splits[0].train, store.splits[0].validation)]
    assert all(one & other for one, other in combinations([*parts, owners(sealed)], 2))
    assert sorted([*store.records.ids, *sealed.ids]) == [f"rec{number:03d}x" for number in range(40)]
    assert store.records.patients == store.records.ids  # each counts as one, in folds, intervals and outer parts
    inner, held = without_outer(store, OuterPart(0, 2))
    assert owners(inner.records) & owners(held)


def test_copies_stay_together_whoever_they_are_of(tmp_path):
    for number in range(24):
        write_wfdb(tmp_path / "raw", f"r{number:02d}", noise(number // 2))
    write_table(tmp_path / "raw", [[f"r{number:02d}", "one person", "ab"[number // 2 % 2]] for number in range(24)])

    prepare(
        own_source(tmp_path / "raw"),
        tmp_path / "s",
        StoreRequest(leads=("I", "II"), rule=SplitRule(by="record", folds=2)),
    )

    for split in open_store(tmp_path / "s").splits:
        ids = open_store(tmp_path / "s").records.ids
        train, validation = ({int(ids[index][1:]) // 2 for index in part} for part in (split.train, split.validation))
        assert not train & validation


def test_the_task_says_so_and_one_by_patient_does_not(prepared, tmp_path):
    described = ArrhythmiaTask(data=prepared).describe()
    prepare(own_source(tmp_path / "raw"), tmp_path / "t", StoreRequest(leads=("I", "II"), rule=SplitRule(folds=3)))
    usual = ArrhythmiaTask(data=tmp_path / "t").describe()

    assert described["divided_by"] == "record"
    assert described["test_varies"] == "records, as if each were of another patient (divided by record)"
    assert "divided_by" not in usual
    assert usual["test_varies"] == "patients"
    assert read_manifest(prepared).content_hash != read_manifest(tmp_path / "t").content_hash


@pytest.mark.parametrize("by", ["record", "patient"])
def test_it_is_a_warning_whenever_such_a_store_is_prepared_or_checked(tmp_path, capsys, by):
    small_source(tmp_path / "raw")
    words = ["--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "I,II"]
    for command in (["prepare", *words, "--by", by], ["check", f"{tmp_path}/s"]):
        assert main(*command) == 0

        said = capsys.readouterr().out.splitlines()
        assert said.count(WARNING) == (by == "record")
        assert any(" patients" in line for line in said if line != WARNING) == (by == "patient")


def test_it_is_another_store_than_one_by_patient(tmp_path):
    small_source(tmp_path / "raw")
    words = ["prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "I,II"]
    main(*words)

    with pytest.raises(ValueError, match="with other options"):
        main(*words, "--by", "record")


def recipe(folder, **split):
    recordings = {"reader": "mitdb", "from": "raw", "target": "beats", "window": [0.2, 0.3]}
    return recipe_from(
        {"file": f"{folder}/r.yaml", "store": "s", "recordings": recordings, "leads": ["MLII"], "split": split}
    ).recipe


@pytest.mark.parametrize(
    ("split", "sealed"),
    [
        ({}, {"100"}),
        ({"by": "record"}, set()),
        ({"by": "record", "test_share": 0.2}, set()),
        ({"test_share": 0.2}, set()),
    ],
)
def test_the_test_part_of_mitdb_is_one_by_patient(tmp_path, split, sealed):
    for name in ("100", "101"):
        write_beats(tmp_path / "raw", name, "NVNVNVNV")

    records = recipe(tmp_path, **split).source().records

    assert {record.path.name for record in records if record.fold == "test"} == sealed
    assert {record.path.name for record in records if record.test_part_unused} == {"100"} - sealed


def test_beats_of_one_patient_are_in_all_parts(tmp_path):
    for name in ("100", "101"):
        write_beats(tmp_path / "raw", name, "NV" * 20)
    asked = recipe(tmp_path, by="record", folds=2)
    source = asked.source()

    prepare(source, tmp_path / "s", asked.request(source))

    store, sealed = open_store(tmp_path / "s"), open_sealed(tmp_path / "s")
    parts = [[store.records.ids[index] for index in store.splits[0].train], sealed.ids]
    assert [{name.split("@")[0] for name in part} for part in parts] == [{"100", "101"}] * 2
    assert len(sealed) / 80 == pytest.approx(0.2, abs=0.03)


def test_anything_else_is_refused_by_its_key():
    with pytest.raises(ValueError, match=r"r\.yaml: split\.by: must be patient or record, but got 'beat'"):
        recipe("x", by="beat")


def test_of_sources_together_one_by_record_makes_the_whole_one(tmp_path):
    source = small_source(tmp_path / "raw")

    other = replace(source, reader="other")

    assert together([source, other]).divided_by == "patient"
    assert together([source, other.by_record()]).divided_by == "record"


def test_stores_by_patient_have_the_hashes_that_they_always_had(tmp_path):
    request = StoreRequest(leads=("I", "II"), rule=SplitRule(folds=2))

    manifest, _ = prepare(small_source(tmp_path / "raw"), tmp_path / "s", request)

    assert manifest.input_hash.startswith("ed194a9a69e5e525")
    assert manifest.content_hash.startswith("07c339ed48b99b6b")
