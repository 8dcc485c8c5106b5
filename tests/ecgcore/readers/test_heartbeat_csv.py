"""The published CSV form of heartbeats: whole stores of it, and what is said of rows that are not of that form."""

import time

import numpy as np
import pytest

from ecgcore.data.manifest import read_manifest
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.sealed import open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.heartbeat_csv import TEST, TRAIN, heartbeat_source
from ecgcore.readers.joined import together
from ecgcore.readers.mitdb import AAMI, mitdb_source
from ecgcore.readers.reading import read_listed
from ecgcore.readers.registry import recognise
from ecgcore.signals.arithmetic import resample
from ecgcore.task import ArrhythmiaTask
from tests.ecgcore.data_command import main
from tests.ecgcore.raw_files import small_source


def beats(count, *, seed=0):
    """Rows (count, 188) as they are published: a bump of its class's width, scaled, padded; and the class."""
    random, time = np.random.default_rng(seed), np.arange(187)
    classes = np.arange(count) % 5
    rows = np.exp(-(((time - 60) / (3 + 4 * classes[:, None])) ** 2)) + random.uniform(0, 0.1, (count, 187))
    rows[:, 150:] = 0
    rows[:, :150] -= rows[:, :150].min(axis=1, keepdims=True)
    return np.column_stack([rows / rows.max(axis=1, keepdims=True), classes])


def write(file, rows):
    file.parent.mkdir(exist_ok=True)
    np.savetxt(file, rows, fmt="%.18e", delimiter=",")
    return file


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "raw" / TRAIN, beats(100))
    return write(tmp_path / "raw" / TEST, beats(30, seed=1)).parent


def test_the_test_file_is_sealed_and_the_train_file_divided(folder, tmp_path):
    words = ["--reader", "heartbeat_csv", "--from", str(folder), "--to", f"{tmp_path}/s", "--folds", "2"]

    assert main("prepare", *words) == 0

    store, sealed = open_store(tmp_path / "s"), open_sealed(tmp_path / "s")
    assert (store.classes, store.leads, store.rate, store.multilabel) == (AAMI, ("MLII",), 125.0, False)
    assert read_manifest(tmp_path / "s").content.units == "1"
    assert {name.split("@")[0] for name in store.records.ids} == {"mitbih_train"}
    assert {name.split("@")[0] for name in sealed.ids} == {"mitbih_test"}
    assert [len(sealed), *(len(split.train) for split in store.splits)] == [30, 50, 50]
    row = store.records.ids.index("mitbih_train@8")
    assert np.array_equal(store.records.signal(row)[0], beats(100)[7, :187].astype(np.float32))
    assert store.classes[int(store.records.labels[row].argmax())] == "V"  # class 2


def test_whose_beats_they_are_is_not_known_and_that_is_said(folder, tmp_path, capsys):
    main("prepare", "--reader", "heartbeat_csv", "--from", str(folder), "--to", f"{tmp_path}/s")

    assert "WARNING: divided by record" in capsys.readouterr().out
    assert ArrhythmiaTask(data=tmp_path / "s").describe()["divided_by"] == "record"


def test_one_file_alone_is_divided_whatever_its_name(folder, tmp_path):
    for file in (folder / TEST, (folder / TRAIN).rename(tmp_path / "mine.csv")):
        assert {record.fold for record in heartbeat_source(file).records} == {""}


def test_the_folder_is_recognised(folder, tmp_path):
    assert recognise(folder) == "heartbeat_csv"
    with pytest.raises(ValueError, match=r"must be the folder of mitbih_train\.csv and mitbih_test\.csv, or one such"):
        heartbeat_source(tmp_path)


def test_malformed_rows_of_both_files_are_named_by_file_and_line(folder):
    lines = (folder / TRAIN).read_text().splitlines()
    lines[1] = lines[1].rpartition(",")[0]
    lines[3] = "-1.5," + lines[3].partition(",")[2]
    lines[4] = lines[4].rpartition(",")[0] + ",7"
    lines[6] = "name," + lines[6].partition(",")[2]
    lines[8] = "nan," + lines[8].partition(",")[2]
    (folder / TRAIN).write_text("\n".join(lines) + "\n")
    (folder / TEST).write_text("")

    with pytest.raises(ValueError, match="mitbih") as raised:
        heartbeat_source(folder)

    said = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in said] == [
        *(f"{folder / TRAIN}:{line}" for line in (2, 4, 5, 7, 9)),
        str(folder / TEST),
    ]
    assert "the row must have 187 values and the class, but has 187 fields" in said[0]
    assert "values must be from 0 to 1, but field 1 is -1.5" in said[1]
    assert "the class must be 0 N, 1 S, 2 V, 3 F, 4 Q, but is 7" in said[2]
    assert "the row must be of numbers" in said[3]
    assert "field 1 is nan" in said[4]
    assert "is empty" in said[5]


def test_a_file_of_another_form_is_not_told_row_by_row(tmp_path):
    with pytest.raises(ValueError, match=r"\.\.\. and 30 rows more") as raised:
        heartbeat_source(write(tmp_path / TRAIN, np.zeros((50, 12))))

    assert len(str(raised.value).splitlines()) == 21


def test_a_changed_file_is_read_anew(folder):
    before = heartbeat_source(folder)
    write(folder / TRAIN, beats(40, seed=3))

    assert (len(before.records), len(heartbeat_source(folder).records)) == (130, 70)


def test_scaled_beats_are_not_joined_with_millivolts(folder, tmp_path):
    with pytest.raises(ValueError, match="must have one unit, but heartbeat_csv has 1, own has mV"):
        together([heartbeat_source(folder), small_source(tmp_path / "own")])


def test_a_file_is_read_once_and_not_for_each_beat(tmp_path):
    """Were it parsed again for each, these 1,500 beats would take minutes."""
    source = heartbeat_source(write(tmp_path / "raw" / TRAIN, beats(1500)))
    begun = time.process_time()

    prepare(source, tmp_path / "s", StoreRequest(leads=("MLII",), rule=SplitRule(folds=1)))

    assert time.process_time() - begun < 20
    assert len(open_store(tmp_path / "s").records) == 1200


def test_real_beats_written_so_come_back(recordings, tmp_path):
    """Beats of one record, at 125 Hz and .8 s long, scaled and padded as they are published."""
    path = recordings / "mitdb"
    listed = (
        [record for record in mitdb_source(path).records if record.path.name == "106"][::40] if path.is_dir() else []
    )
    if not listed:
        pytest.skip(f"needs mitdb in {recordings}")
    whole = read_listed(listed[0], ("MLII",))
    signal = resample(whole.signal, rate=whole.rate, to=125.0)[0]
    rows = np.zeros((len(listed), 188))
    for row, record in zip(rows, listed, strict=True):
        begin = round(record.span[0] * 125)
        beat = signal[begin : begin + 100]
        row[:100] = (beat - beat.min()) / np.ptp(beat)
        row[187] = AAMI.index(record.labels[0])

    source = heartbeat_source(write(tmp_path / "beats.csv", rows))

    assert [record.labels for record in source.records] == [record.labels for record in listed]
    assert np.allclose([read_listed(record).signal[0] for record in source.records], rows[:, :187], atol=1e-6)
