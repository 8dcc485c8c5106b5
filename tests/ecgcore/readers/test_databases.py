"""The readers of the public databases, on the real recordings: counts as their READMEs state them."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.io import loadmat

from ecgcore.readers.challenge import challenge_source
from ecgcore.readers.cinc2017 import cinc2017_source
from ecgcore.readers.ludb import ludb_source
from ecgcore.readers.mitdb import Cut, mitdb_source
from ecgcore.readers.ptbxl import ptbxl_source
from ecgcore.readers.reading import read_listed
from ecgcore.readers.record import read_annotations
from ecgcore.readers.registry import recognise
from ecgcore.signals.arithmetic import STANDARD_LEADS


def counts(source):
    return Counter(label for record in source.records for label in record.labels)


def database(recordings, name):
    if not (recordings / name).is_dir():
        pytest.skip(f"needs {name} in {recordings}")
    return recordings / name


def test_cinc2017_has_the_classes_of_its_readme(recordings):
    source = cinc2017_source(database(recordings, "cinc2017"))

    assert counts(source) == {"N": 700, "A": 651, "O": 600, "noise": 251}
    assert (len(source.records), source.multilabel, source.leads) == (2202, False, ("I",))
    recording = read_listed(source.records[0], ("I",))
    assert (recording.rate, recording.leads) == (300.0, ("I",))


def test_ptbxl_has_the_records_patients_and_classes_of_its_readme(recordings):
    codes = ptbxl_source(recordings / "ptbxl500", target="codes")

    assert (len(codes.records), len({record.patient for record in codes.records})) == (434, 407)
    assert counts(ptbxl_source(recordings / "ptbxl500")) == {"NORM": 261, "MI": 65, "STTC": 80, "HYP": 33, "CD": 67}
    rhythms = {"SR": 354, "SBRAD": 8, "SARRH": 20, "AFLT": 5, "AFIB": 11, "STACH": 5, "PACE": 5}
    assert counts(ptbxl_source(recordings / "ptbxl500", target="rhythm")) == rhythms


def test_ludb_has_the_first_rhythm_of_each_patient(recordings):
    source = ludb_source(database(recordings, "ludb"))

    assert counts(source) == {
        "Sinus rhythm": 122,
        "Sinus bradycardia": 21,
        "Atrial fibrillation": 13,
        "Sinus arrhythmia": 7,
        "Sinus tachycardia": 3,
        "Atrial flutter, typical": 2,
        "Irregular sinus rhythm": 2,
    }
    assert len({record.patient for record in source.records}) == 170
    assert source.records[0].about == {"age": "51", "sex": "female"}
    assert sum(record.about["sex"] == "male" for record in source.records) == 95


def test_every_lead_of_ludb_is_its_raw_integers_by_the_thousand(recordings):
    """By the headers' gains III = II - I fails by half and more; by the raw integers it holds to the last of them."""
    folder = database(recordings, "ludb")
    for listed in ludb_source(folder).records:
        recording = read_listed(listed, STANDARD_LEADS)
        raw = np.fromfile(f"{listed.path}.dat", "<i2").reshape(-1, 12).T

        assert np.array_equal(np.rint(recording.signal * 1000), raw)
        one, two, three = np.rint(recording.signal[:3] * 1000)
        assert np.array_equal(three, two - one)


def test_every_wrong_gain_of_the_challenge_is_put_right(recordings):
    """The table beside the records names the wrong ones; the reader does not look there."""
    folder = database(recordings, "challenge2021_mix")
    source = challenge_source(folder)
    table = [line.split(",") for line in (folder / "index.csv").read_text().splitlines()[1:]]
    wrong = {row[0] for row in table if not any(field.startswith("1000/") for field in row)}

    assert set(source.corrected) == wrong == {"georgia/E00015", "georgia/E00018", "georgia/E00793", "ptb-xl/HR20715"}
    for listed in source.records:
        recording = read_listed(listed, STANDARD_LEADS)
        raw = loadmat(f"{listed.path}.mat")["val"]
        assert np.array_equal(np.rint(recording.signal * 1000), raw)
    assert "a gain of 4880 per mV; the database has 1000" in source.corrected["georgia/E00015"]


def test_the_challenge_has_the_codes_of_its_readme(recordings):
    found = counts(challenge_source(database(recordings, "challenge2021_mix")))

    assert sum(1 for code in found) > 50
    assert {code: found[code] for code in ("426783006", "426177001", "427084000", "164934002", "164889003")} == {
        "426783006": 61,
        "426177001": 34,
        "427084000": 31,
        "164934002": 21,
        "164889003": 13,
    }


def test_mitdb_has_every_annotated_beat(recordings):
    source = mitdb_source(database(recordings, "mitdb"), cut=Cut(paced=True, given_test=False))

    outside = Counter({why.split()[2]: count for why, count in source.left_out.items()})
    assert counts(source) + outside == Counter({"N": 64810, "S": 2424, "V": 5302, "F": 438, "Q": 2092})
    assert sum(outside.values()) == 31
    assert len({record.patient for record in source.records}) == 32  # of 33 records: 201 and 202 are one person


def test_mitdb_seals_ds2_and_leaves_out_the_paced_and_the_person_in_both(recordings):
    source = mitdb_source(database(recordings, "mitdb"))

    tested = {record.path.name for record in source.records if record.fold == "test"}
    trained = {record.path.name for record in source.records if record.fold == ""}
    assert tested == {"113", "123", "202", "210", "212", "219", "221", "231", "232", "233"}
    assert not {"201", "102"} & trained
    assert len(trained) == 21
    assert source.left_out["of record 201, the same person as 202 of the test part DS2"] == 1963
    patients = {part: {r.patient for r in source.records if r.fold == part} for part in ("test", "")}
    assert not patients["test"] & patients[""]


def test_mlii_is_found_by_name_where_it_is_the_second_lead(recordings):
    path = database(recordings, "mitdb") / "114"
    (first,) = [r for r in mitdb_source(path.parent).records if r.path == path][:1]

    packed = np.fromfile(f"{path}.dat", np.uint8).reshape(-1, 3).astype(int)  # format 212: two samples in three bytes
    second = ((packed[:, 1] >> 4 << 8) + packed[:, 2] + 2048) % 4096 - 2048
    assert "MLII" in path.with_suffix(".hea").read_text().splitlines()[2]
    assert read_listed(first, ("MLII",)).signal[0] == pytest.approx((second - 1024) / 200, abs=1e-5)


def test_pieces_of_mitdb_lie_within_one_rhythm(recordings):
    source = mitdb_source(database(recordings, "mitdb"), cut=Cut(target="rhythm", piece=10.0))
    record = [r for r in source.records if r.path.name == "203"]

    assert {label for r in source.records for label in r.labels} >= {"N", "AFIB", "AFL", "SBR"}
    ends = sorted(r.span for r in record)
    assert all(one[0] + one[1] <= other[0] + 1e-9 for one, other in pairwise(ends))
    marks = read_annotations(record[0].path, "atr")
    changes = [s / 360 for s, symbol in zip(marks.samples, marks.symbols, strict=True) if symbol == "+"]
    assert not [c for c in changes for begin, length in ends if begin + 1e-6 < c < begin + length - 1e-6]


@pytest.mark.parametrize(
    ("folder", "reader"),
    [
        ("ptbxl500", "ptbxl"),
        ("cinc2017", "cinc2017"),
        ("mitdb", "mitdb"),
        ("ludb", "ludb"),
        ("challenge2021_mix", "challenge"),
    ],
)
def test_a_folder_is_recognised_by_its_files(recordings, folder, reader):
    assert recognise(database(recordings, folder)) == reader
