"""Age, sex and site: kept for subgroups beside the records they are of, and of no say in anything else."""

import json

import pytest

from ecgcore.data.about_file import about_of
from ecgcore.data.manifest import read_manifest
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.sealed import about_of_sealed, open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.about import about, years
from ecgcore.readers.challenge import challenge_source
from ecgcore.readers.joined import together
from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.ptbxl import ptbxl_source
from tests.ecgcore.raw_files import noise, small_source, write_table, write_wfdb

TWO = StoreRequest(leads=("I", "II"), rule=SplitRule(folds=2))


def source_with_ages(folder, count=20):
    """Each of another age; of every third, nothing is known."""
    rows = []
    for number in range(count):
        write_wfdb(folder, f"r{number:02d}", noise(number))
        known = ["", "", ""] if number % 3 == 0 else [f"{40 + number}.0", "FM"[number % 2], "north"]
        rows.append([f"r{number:02d}", f"p{number}", "ab"[number % 2], *known])
    write_table(folder, rows, header="record,patient,labels,age,sex,site")
    return own_source(folder)


def test_it_is_kept_beside_the_records_it_is_of_and_that_of_the_test_part_is_sealed(tmp_path):
    prepare(source_with_ages(tmp_path / "raw"), tmp_path / "s", TWO)

    store, sealed = open_store(tmp_path / "s"), open_sealed(tmp_path / "s")
    known, hidden = about_of(store), about_of_sealed(tmp_path / "s")
    assert set(known) | set(hidden) == {f"r{number:02d}" for number in range(20) if number % 3}
    assert set(known) <= set(store.records.ids)
    assert set(hidden) <= set(sealed.ids)
    assert {**known, **hidden}["r07"] == {"age": "47", "sex": "male", "site": "north"}
    outside = "".join(path.read_text() for path in (tmp_path / "s").glob("*.*") if path.suffix in (".csv", ".json"))
    assert not [name for name in hidden if f"{name}," in outside]


def test_what_is_known_changes_no_hash_and_where_nothing_is_there_is_no_file(tmp_path):
    known = source_with_ages(tmp_path / "raw")
    prepare(known, tmp_path / "s", TWO)
    rows = [[record.name, record.patient, *record.labels] for record in known.records]
    write_table(tmp_path / "raw", rows)
    prepare(own_source(tmp_path / "raw"), tmp_path / "t", TWO)

    one, other = read_manifest(tmp_path / "s"), read_manifest(tmp_path / "t")
    assert (one.content_hash, one.sealed_hash) == (other.content_hash, other.sealed_hash)
    assert not list((tmp_path / "t").rglob("about.csv"))
    assert about_of(open_store(tmp_path / "t")) == about_of_sealed(tmp_path / "t") == {}


def test_a_store_without_it_is_not_made_anew(tmp_path):
    """As those of earlier versions are, which knew nothing of it."""
    source = source_with_ages(tmp_path / "raw")
    prepare(source, tmp_path / "s", TWO)
    for path in (tmp_path / "s").rglob("about.csv"):
        path.unlink()

    _, written = prepare(source, tmp_path / "s", TWO)

    assert not written
    assert about_of(open_store(tmp_path / "s")) == {}


def test_a_damaged_file_is_told_with_the_way_out(tmp_path):
    prepare(source_with_ages(tmp_path / "raw"), tmp_path / "s", TWO)
    (tmp_path / "s" / "about.csv").write_text("age\n1\n")

    with pytest.raises(ValueError, match=r"about\.csv is damaged: prepare the store again with --replace"):
        about_of(open_store(tmp_path / "s"))


def test_an_age_that_is_none_is_told_with_its_line(tmp_path):
    write_wfdb(tmp_path, "a", noise(1))
    write_table(tmp_path, [["a", "p", "x", "old"], ["a", "p", "y", "-3"]], header="record,patient,labels,age")

    with pytest.raises(ValueError, match="age must be a number of years, or empty if unknown, but is 'old'") as raised:
        own_source(tmp_path)

    assert "labels.csv:3: age must be a number of years, or empty if unknown, but is '-3'" in str(raised.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [("56.0", "56"), ("0.5", "0.5"), (">89", "90"), ("300", "90"), ("91", "91"), (" NaN", ""), (None, ""), ("x", None)],
)
def test_ages_are_numbers_of_years_and_those_of_the_oldest_are_hidden(written, read):
    assert years(written) == read


def test_databases_say_the_same_in_one_form():
    assert about(age="56", sex="F") == about(age="56.0", sex="FEMALE ") == {"age": "56", "sex": "female"}
    assert about(age="NaN", sex="Unknown", site="", device="AT-6   C") == {"device": "AT-6 C"}


def test_ptbxl_and_the_challenge_say_who_it_was_where(recordings):
    first = {record.name: record.about for record in ptbxl_source(recordings / "ptbxl500").records}["1"]
    folder = recordings / "challenge2021_mix"
    source = challenge_source(folder)

    assert first == {"age": "56", "sex": "female", "site": "0", "device": "CS-12 E"}
    named = {record.name: record.about for record in source.records}
    assert named["chapman_shaoxing/JS00001"] == {"age": "85", "sex": "male", "site": "chapman_shaoxing"}
    assert {record.about["site"] for record in source.records} == {
        path.name for path in folder.iterdir() if path.is_dir()
    }
    assert sum("age" in record.about for record in source.records) == 201


def test_a_challenge_record_in_a_numbered_group_or_none_is_of_its_database(tmp_path):
    for name in ("georgia/g1/E00001", "E00002"):
        write_wfdb(tmp_path, name, noise(len(name)))

    assert [record.about for record in challenge_source(tmp_path).records] == [{"site": "E"}, {"site": "georgia"}]


def test_sources_together_keep_it(tmp_path):
    write_wfdb(tmp_path / "challenge", "E1", noise(1))

    source = together([challenge_source(tmp_path / "challenge"), small_source(tmp_path / "own", patients=2)])

    assert json.dumps([dict(record.about) for record in source.records[:2]]) == '[{"site": "E"}, {}]'
