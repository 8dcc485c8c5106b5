"""Chapman-Shaoxing in its own form, and its rhythms in four groups that other databases have, too."""

import sys

import numpy as np
import pytest
import yaml

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.sealed import open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.chapman import chapman_source
from ecgcore.readers.label_map import SHIPPED, label_map_from, with_classes
from ecgcore.readers.reading import read_listed
from ecgcore.readers.registry import recognise
from ecgcore.signals.arithmetic import STANDARD_LEADS

COLUMNS = "FileName,Rhythm,Beat,PatientAge,Gender"
CODES = ("AFIB", "AF", "SB", "SR", "SA", "SI", "ST", "SVT", "AT", "AVNRT", "AVRT", "SAAWR")


def microvolts(seed, *, samples=5000):
    return np.random.default_rng(seed).integers(-900, 900, (samples, 12)).astype(float)


def write(folder, name, values, *, kind="ECGData"):
    (folder / kind).mkdir(parents=True, exist_ok=True)
    header = ",".join(STANDARD_LEADS) if kind == "ECGData" else ""
    np.savetxt(folder / kind / f"{name}.csv", values, fmt="%g", delimiter=",", header=header, comments="")


def write_table(folder, rows):
    text = "\n".join([COLUMNS, *(f"{name},{rhythm},NONE,59,MALE" for name, rhythm in rows)])
    (folder / "Diagnostics.csv").write_text(text + "\n")


@pytest.mark.parametrize("kind", ["ECGData", "ECGDataDenoised"])
def test_a_record_is_its_csv_in_millivolts(tmp_path, kind):
    write(tmp_path, "MUSE_1", microvolts(1), kind=kind)
    write_table(tmp_path, [("MUSE_1", "AFIB"), ("MUSE_2", "SB"), ("MUSE_3", "SR")])

    source = chapman_source(tmp_path)
    (listed,) = source.records
    found = read_listed(listed, ("V1", "aVR"))

    assert recognise(tmp_path) == "chapman"
    assert (listed.labels, listed.patient, found.rate, found.leads) == (("AFIB",), "MUSE_1", 500.0, ("V1", "aVR"))
    assert np.allclose(found.signal, microvolts(1)[:, [6, 3]].T / 1000)
    assert source.left_out == {f"without a CSV in {kind}/": 2}


def test_what_its_authors_filter_out_is_refused_with_the_reason(tmp_path):
    folder = tmp_path / "raw"
    write(folder, "short", microvolts(1, samples=4999))
    gap = microvolts(2)
    gap[100, 3] = gap[7, 7] = np.nan
    write(folder, "gap", gap)
    write(folder, "eight", microvolts(3)[:, :8])
    write(folder, "hole", microvolts(4))
    hole = folder / "ECGData" / "hole.csv"
    hole.write_text(hole.read_text().replace("\n", "\n,", 1))
    write(folder, "order", microvolts(5))
    order = folder / "ECGData" / "order.csv"
    order.write_text(order.read_text().replace("I,II", "II,I", 1))
    names = [f"r{number:02d}" for number in range(30)]
    for number, name in enumerate(names):
        write(folder, name, microvolts(10 + number))
    rhythms = [(name, ["SB", "SR"][number % 2]) for number, name in enumerate(names)]
    wrong = ["short", "gap", "eight", "hole", "order"]
    write_table(folder, [*rhythms, *((name, "SR") for name in wrong)])

    request = StoreRequest(rule=SplitRule(folds=2), rate=100.0, allow_refused=20)
    manifest, _ = prepare(chapman_source(folder), tmp_path / "s", request)

    assert list(manifest.refused) == wrong
    for name, reason in {
        "short": "there must be 5000 rows, but there are 4999",
        "gap": "a value is missing, or not a number, in aVR, V2",
        "eight": "there must be a number for each of 12 leads in every row, but there are 8",
        "hole": "there must be 12 numbers in every row, but",
        "order": "the first line must name the leads I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6, but is 'II,I,III",
    }.items():
        assert reason in manifest.refused[name]
    assert len(open_store(tmp_path / "s").records) + len(open_sealed(tmp_path / "s")) == 30


def test_mistakes_of_the_table_are_told_with_their_lines(tmp_path):
    write(tmp_path, "a", microvolts(1))
    write_table(tmp_path, [("a", "SB"), ("a", "SR"), ("../a", "SR"), ("", "SR")])
    with pytest.raises(ValueError, match="FileName") as raised:
        chapman_source(tmp_path)
    assert [line.split(":")[1] for line in str(raised.value).splitlines()] == ["3", "4", "5"]

    (tmp_path / "Diagnostics.csv").write_text("FileName,Beat\na,NONE\n")
    with pytest.raises(
        ValueError, match=r"Diagnostics\.csv:1: the columns FileName and Rhythm must be there; missing: R"
    ):
        chapman_source(tmp_path)


def test_of_two_forms_of_the_signals_one_has_to_be_named(tmp_path):
    write(tmp_path, "a", microvolts(1))
    write(tmp_path, "a", microvolts(2), kind="ECGDataDenoised")
    write_table(tmp_path, [("a", "SB")])
    with pytest.raises(ValueError, match="has both ECGData and ECGDataDenoised: say which is meant"):
        chapman_source(tmp_path)

    (listed,) = chapman_source(tmp_path / "ECGDataDenoised").records

    assert np.allclose(read_listed(listed).signal, microvolts(2).T / 1000)


def test_without_openpyxl_the_way_out_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)  # as where it is not installed
    write(tmp_path, "a", microvolts(1))
    (tmp_path / "Diagnostics.xlsx").write_bytes(b"PK\x03\x04")

    with pytest.raises(ValueError, match=r"needs openpyxl \(pip install .*\); or save the table as .*Diagnostics\.csv"):
        chapman_source(tmp_path)


def test_a_spreadsheet_says_the_same_as_its_csv(tmp_path):
    import pandas

    write(tmp_path, "a", microvolts(1))
    pandas.DataFrame({"FileName": ["a"], "Rhythm": ["SB"], "PatientAge": [60]}).to_excel(
        tmp_path / "Diagnostics.xlsx", index=False
    )

    assert [record.labels for record in chapman_source(tmp_path).records] == [("SB",)]
    (tmp_path / "Diagnostics.xlsx").write_bytes(b"torn")
    with pytest.raises(ValueError, match="must be a spreadsheet"):
        chapman_source(tmp_path)


def shipped(name):
    path = SHIPPED / f"{name}.yaml"
    return label_map_from(yaml.safe_load(path.read_text()), path)


@pytest.mark.parametrize("name", ["chapman_rhythms", "rhythms_four"])
def test_every_rhythm_has_one_of_four_groups(tmp_path, name):
    for code in CODES:
        (tmp_path / "ECGData").mkdir(exist_ok=True)
        (tmp_path / "ECGData" / f"{code}.csv").write_text("not read\n")
    write_table(tmp_path, [(code, code) for code in CODES])

    source = with_classes(chapman_source(tmp_path), shipped(name))

    assert source.classes == ("AFIB", "GSVT", "SB", "SR")
    groups = {group: {r.name for r in source.records if r.labels == (group,)} for group in source.classes}
    assert groups == {"AFIB": {*CODES[:2]}, "SB": {"SB"}, "SR": {*CODES[3:6]}, "GSVT": {*CODES[6:]}}
    assert not source.unknown_codes
