from dataclasses import replace

import pytest

from ecgcore.readers.joined import together, without
from tests.ecgcore.raw_files import small_source


@pytest.fixture
def two(tmp_path):
    one, other = small_source(tmp_path / "a"), small_source(tmp_path / "b", seed=1)
    return one, replace(other, reader="other", classes=("wild", "odd"), left_out={"too old": 2}, corrected={"x": "y"})


def test_names_and_patients_of_two_sources_cannot_meet(two):
    source = together(two)

    names = [record.name for record in source.records]
    assert len(set(names)) == 80
    assert {name.split("/")[0] for name in names} == {"own", "other"}
    assert len({record.patient for record in source.records}) == 40
    assert source.classes == ("calm", "wild", "odd")
    assert (source.left_out, source.corrected) == ({"too old": 2}, {"other/x": "y"})


def test_one_source_stays_as_it_is(two):
    assert together(two[:1]) is two[0]


def test_a_reader_twice_and_leads_without_a_common_one_are_refused(two):
    with pytest.raises(ValueError, match="each --reader may be given once, but got own more than once"):
        together([two[0], two[0]])
    with pytest.raises(ValueError, match="the sources have no lead in common"):
        together([two[0], replace(two[1], leads=("MLII",))])


def test_records_left_out_by_name_are_counted(two):
    source = without(together(two), ["other/*", "own/rec00?x"])

    assert len(source.records) == 30
    assert source.left_out == {
        "too old": 2,
        "left out by name (other/*)": 40,
        "left out by name (own/rec00?x)": 10,
    }


def test_a_pattern_that_matches_nothing_or_everything_is_refused(two):
    with pytest.raises(ValueError, match=r"--leave-out must match records, but ptb/\* matches none; a name is rec000x"):
        without(two[0], ["ptb/*"])
    with pytest.raises(ValueError, match="--leave-out must leave a record"):
        without(two[0], ["*"])
