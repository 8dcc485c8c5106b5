import argparse

import numpy as np
import pytest

from ecgcore.commands.source_options import READERS as OFFERED
from ecgcore.commands.source_options import add_source_options, source_from
from ecgcore.readers.array import ArrayFormat
from ecgcore.readers.cinc2017 import cinc2017_source
from ecgcore.readers.ludb import ludb_source
from ecgcore.readers.mitdb import Cut, mitdb_source
from ecgcore.readers.registry import READERS, Wish, recognise, source_of
from tests.ecgcore.raw_files import noise, write_table, write_wfdb


def write_beats(folder, name, marks, *, rate="360", leads=("MLII", "V1")):
    """A record with a beat a second, marked as said."""
    write_wfdb(folder, name, noise(len(name), samples=int(rate) * (len(marks) + 1)), rate=rate, leads=leads)
    codes = {"N": 1, "V": 5, "B": 25, "?": 30, "n": 35, "r": 41, "+": 28}  # of WFDB, in the upper six bits
    words = [codes[mark] << 10 | int(rate) for mark in marks]  # the lower ten: samples since the mark before
    (folder / f"{name}.atr").write_bytes(np.array([*words, 0], "<u2").tobytes())


def test_the_command_line_offers_every_reader():
    assert set(OFFERED) == set(READERS)


def test_options_of_another_reader_are_refused_all_at_once(tmp_path):
    wish = Wish(
        directory=tmp_path,
        table=tmp_path / "t.csv",
        target="rhythm",
        cut=Cut(paced=True),
        array=ArrayFormat(rate=1.0, leads=(), unit=None),
    )

    with pytest.raises(ValueError, match="are for numpy, but the reader is challenge") as raised:
        source_of("challenge", wish)

    assert len(str(raised.value).splitlines()) == 4


def test_a_folder_without_a_sign_of_any_database_is_not_recognised(tmp_path):
    assert recognise(tmp_path) is None


def test_mistakes_of_a_reference_are_told_with_their_lines(tmp_path):
    write_wfdb(tmp_path / "A00", "A00001", noise(1, leads=1), leads=("ECG",), mat=True)
    (tmp_path / "REFERENCE.csv").write_text("A00001,N\nA00001,N\nA00002,A\nA00001,x\nA00001\n")

    with pytest.raises(ValueError, match="REFERENCE") as raised:
        cinc2017_source(tmp_path)

    lines = str(raised.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "3", "4", "5"]
    assert "record A00002 has no header" in lines[1]
    assert "the label must be N, A, O, ~, but record A00001 has 'x'" in lines[2]


def test_ludb_without_its_columns_or_records_is_refused(tmp_path):
    (tmp_path / "ludb.csv").write_text("ID,Sex\n1,M\n")
    with pytest.raises(ValueError, match=r"ludb\.csv:1: the columns ID and Rhythms must be there; missing: Rhythms"):
        ludb_source(tmp_path)
    (tmp_path / "ludb.csv").write_text('ID,Rhythms\n1,"Sinus rhythm\n"\n')
    with pytest.raises(ValueError, match="none of its 1 records has a header"):
        ludb_source(tmp_path)


def test_of_two_lines_of_rhythm_the_first_counts_and_as_codes_both(tmp_path):
    write_wfdb(tmp_path / "data", "1", noise(1))
    (tmp_path / "ludb.csv").write_text(
        'ID,Sex,Rhythms,Other\n1,M,"Atrial fibrillation\nAberrant conduction\n","x.\n"\n'
    )

    assert ludb_source(tmp_path).records[0].labels == ("Atrial fibrillation",)
    codes = ludb_source(tmp_path, target="codes").records[0].labels
    assert codes == ("Aberrant conduction", "Atrial fibrillation", "x")


def test_records_without_annotations_are_no_beats(tmp_path):
    write_wfdb(tmp_path, "100", noise(1))

    with pytest.raises(ValueError, match=r"must hold WFDB records with annotations \(\.atr\), but has none"):
        mitdb_source(tmp_path)
    (tmp_path / "100.atr").write_bytes(b"\x01")
    with pytest.raises(ValueError, match=r"^100: .*100\.atr cannot be read as annotations; is it torn"):
        mitdb_source(tmp_path)


def test_all_mistakes_of_a_cut_are_told_at_once():
    with pytest.raises(ValueError, match="--target must be beats or rhythm for mitdb") as raised:
        Cut(target="x", before=-1, piece=0)

    assert len(str(raised.value).splitlines()) == 3


def test_a_test_part_that_is_not_used_is_another_preparation(tmp_path):
    """By --test-share the test part is drawn though the database has its own: the same files, other parts."""
    write_beats(tmp_path, "100", "N")

    own, drawn = (mitdb_source(tmp_path, cut=Cut(given_test=given)) for given in (True, False))

    assert [[record.fold for record in source.records] for source in (own, drawn)] == [["test"], [""]]
    assert own.input_hash() != drawn.input_hash()


def test_beats_whose_mark_has_no_class_are_counted(tmp_path):
    write_beats(tmp_path, "I01", "NB+nVr?B", rate="257")

    source = mitdb_source(tmp_path)

    assert [record.labels for record in source.records] == [("N",), ("V",)]
    assert source.left_out == {
        f"of beats marked {mark}, which has no class": count for mark, count in {"B": 2, "n": 1, "r": 1, "?": 1}.items()
    }


@pytest.mark.parametrize(
    ("rate", "listed"),
    [
        ("360", {"101": ("101", ""), "202": ("201", "test")}),
        ("128", {name: (name, "") for name in ("101", "102", "201", "202")}),
    ],
    ids=["MIT-BIH", "Long-Term AF"],
)
def test_names_mean_the_patients_of_mitbih_at_its_rate_only(tmp_path, rate, listed):
    for name in ("101", "102", "201", "202"):
        write_beats(tmp_path, name, "N", rate=rate)

    source = mitdb_source(tmp_path)

    assert {record.path.name: (record.patient, record.fold) for record in source.records} == listed


def asked(readers, folders, *words):
    parser = argparse.ArgumentParser()
    add_source_options(parser)
    cut = {"given_test": True, "paced": False}
    return source_from(parser.parse_args(words), readers, folders, rate=None, cut=cut)


def test_of_several_readers_an_option_is_for_those_that_take_it(tmp_path):
    write_beats(tmp_path / "beats", "101", "NV")
    np.save(tmp_path / "records.npy", np.zeros((2, 1, 500), np.float32))
    write_table(tmp_path, [["a", "p", "N"], ["b", "q", "V"]])
    (tmp_path / "labels.csv").rename(tmp_path / "mine.csv")
    words = ["--array-rate", "360", "--array-leads", "MLII", "--array-unit", "mV", "--labels", f"{tmp_path}/mine.csv"]
    words += ["--window", "0.2,0.4", "--target", "beats"]

    source = asked(["numpy", "mitdb"], [tmp_path / "records.npy", tmp_path / "beats"], *words)

    assert [record.labels for record in source.records] == [("N",), ("V",), ("N",), ("V",)]
    assert [record.array.unit if record.array else record.span[1] for record in source.records] == [
        "mV",
        "mV",
        *[pytest.approx(0.6)] * 2,
    ]


def test_an_option_that_none_of_several_readers_takes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="--window, --piece and --paced are for mitdb, but the reader is challenge"):
        asked(["challenge", "own"], [tmp_path, tmp_path], "--window", "0.2,0.4")
    with pytest.raises(ValueError, match="--array-rate, --array-leads and --array-unit are for numpy, but"):
        asked(["challenge", "own"], [tmp_path, tmp_path], "--array-rate", "100")
