"""`data check` and `data prepare` on every folder of real recordings: what is there, what is used, and what is not."""

import json

import numpy as np
import pytest

from ecgcore.data.sealed import open_sealed
from ecgcore.data.store import open_store
from tests.ecgcore.data_command import main

pytestmark = pytest.mark.slow

FOLDERS = {
    "ptbxl500": "434 records of 407 patients",
    "cinc2017": "2202 records of 2202 patients; N 700, A 651, O 600, noise 251 (reader cinc2017)",
    "mitdb": "75035 records of 32 patients; N 64782, S 2424, V 5301, F 437, Q 2091 (reader mitdb)",
    "ludb": "170 records of 170 patients; Atrial fibrillation 13, Atrial flutter, typical 2, Irregular sinus rhythm 2, "
    "Sinus arrhythmia 7, Sinus bradycardia 21, Sinus rhythm 122, Sinus tachycardia 3 (reader ludb)",
    "challenge2021_mix": "203 records of 203 patients; ",
}
SAID = {
    "ptbxl500": ["duplicate signals: 5: 137 = 138, 143 = 144, 145 = 463, 456 = 457, 459 = 460", "rate: 100 Hz"],
    "cinc2017": ["length: 9.36 to 60.62 s, median 30 s", "leads: I\n", "rate: 300 Hz"],
    "mitdb": [
        "V5 MLII (1)",
        "V5 V2 (1)",
        "missing leads: 4: 102 (MLII V1)",
        "left out: 28 records of class N whose window leaves the recording",
    ],
    "ludb": ["its header scales each lead to 1 peak to peak; raw integers / 1000 are mV: 170: 1, 2, 3"],
    "challenge2021_mix": [
        "flat leads: 6: ningbo/JS11438 (V1 V2 V3 V4 V5 V6)",
        "duplicate signals: 1: georgia/E07509 = georgia/E07510",
        "a gain of 4880 per mV; the database has 1000: 3: georgia/E00015, georgia/E00018, georgia/E00793",
        "a gain of 200 per mV; the database has 1000: 1: ptb-xl/HR20715",
        "rate: 500 Hz (201), 1000 Hz (2)",
    ],
}


def folder_of(recordings, name):
    if not (recordings / name).is_dir():
        pytest.skip(f"needs {name} in {recordings}")
    return str(recordings / name)


@pytest.mark.parametrize("name", FOLDERS)
def test_check_says_what_is_in_a_folder(recordings, name, capsys):
    words = ["--target", "codes"] if name == "ptbxl500" else []

    assert main("check", folder_of(recordings, name), *words) == 0

    said = capsys.readouterr().out
    assert f"{name}: {FOLDERS[name]}" in said
    for fact in [*SAID[name], "refused: none"]:
        assert fact in said


@pytest.mark.parametrize(
    ("name", "words", "used"),
    [
        (
            "ptbxl500",
            ["--reader", "ptbxl", "--train-folds", "1-6", "--validation-folds", "7,8", "--test-folds", "9"],
            424,
        ),
        ("cinc2017", ["--reader", "cinc2017", "--rate", "100", "--folds", "3"], 2202),
        ("mitdb", ["--reader", "mitdb", "--target", "rhythm", "--rate", "100", "--folds", "2"], 5291),
        ("ludb", ["--reader", "ludb", "--rate", "100", "--folds", "3"], 170),
        ("challenge2021_mix", ["--reader", "challenge", "--rate", "100", "--folds", "3"], 203),
    ],
)
def test_prepare_uses_every_record_or_says_why_not(recordings, tmp_path, name, words, used, capsys):
    assert main("prepare", "--from", folder_of(recordings, name), "--to", f"{tmp_path}/s", *words) == 0

    store, sealed = open_store(tmp_path / "s"), open_sealed(tmp_path / "s")
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    assert (manifest["refused"], manifest["dropped"]) == ({}, {})
    assert len(store.records) + len(sealed) == used
    assert np.isfinite(store.records.samples).all()
    assert f"{tmp_path}/s: prepared" in capsys.readouterr().out


def some_of_mitdb(recordings, folder, *names):
    """A folder with links to a few of the records, which are half an hour each."""
    folder.mkdir()
    for file in recordings.joinpath("mitdb").iterdir():
        if file.stem in names:
            (folder / file.name).symlink_to(file)
    if not any(folder.iterdir()):
        pytest.skip(f"needs mitdb in {recordings}")
    return str(folder)


def test_beats_of_mitdb_lie_around_their_annotation(recordings, tmp_path):
    """In normal beats the largest swing is where the annotation is: 0.3 s after the window begins."""
    folder = some_of_mitdb(recordings, tmp_path / "mitdb", "101", "106", "108", "112", "114", "115", "113")
    main("prepare", "--reader", "mitdb", "--from", folder, "--to", f"{tmp_path}/s", "--rate", "90", "--folds", "2")

    store = open_store(tmp_path / "s")
    normal = np.flatnonzero(store.records.labels[:, store.classes.index("N")])[::10]
    beats = np.stack([store.records.signal(index)[0] for index in normal])
    assert beats.shape[1] == round(0.8 * 90)
    steepest = np.abs(np.gradient(beats, axis=1)).mean(axis=0)
    assert abs(int(steepest.argmax()) - round(0.3 * 90)) <= 3


def test_what_a_reader_cannot_read_is_refused_by_name_and_reason(recordings, tmp_path):
    """Record 102 has no MLII; with paced records asked for, its beats are refused, each by name."""
    folder = some_of_mitdb(recordings, tmp_path / "mitdb", "101", "102", "106", "108", "112", "113", "114")
    words = ["--reader", "mitdb", "--from", folder, "--to", f"{tmp_path}/s", "--paced", "--test-share", "0.2"]

    assert main("prepare", *words, "--rate", "50", "--folds", "2", "--allow-refused", "20") == 0

    refused = json.loads((tmp_path / "s" / "manifest.json").read_text())["refused"]
    assert {name.split("@")[0] for name in refused} == {"102"}
    assert len(refused) == 2186
    assert "missing: MLII; the record has V5, V2" in next(iter(refused.values()))
