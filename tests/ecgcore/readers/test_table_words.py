"""What a table must not name: records elsewhere, folds that nobody means, characters that nobody sees."""

import os

import pytest

from ecgcore.readers.challenge import challenge_source
from ecgcore.readers.fold_table import with_folds
from ecgcore.readers.labels_csv import own_source
from tests.ecgcore.raw_files import noise, small_source, write_table, write_wfdb


def mistakes(folder):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is the result
        own_source(folder)
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def test_a_record_outside_the_folder_is_refused_though_it_is_there(tmp_path):
    write_wfdb(tmp_path / "outside", "secret", noise(1))
    write_wfdb(tmp_path / "raw", "a", noise(2))
    rows = [["a", "p", "x"], ["../outside/secret", "q", "y"], [f"{tmp_path}/outside/secret", "r", "y"]]
    write_table(tmp_path / "raw", rows)

    assert mistakes(tmp_path / "raw") == [
        "labels.csv:3: record must be a path below the folder, but ../outside/secret leads out of it",
        f"labels.csv:4: record must be a path below the folder, but {tmp_path}/outside/secret leads out of it",
    ]


@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_a_character_that_nobody_sees_is_refused(tmp_path, column):
    row = ["a", "p", "x", "1"]
    row[column] = row[column] + "\0b"
    write_wfdb(tmp_path, "a", noise(1))
    write_table(tmp_path, [row], header="record,patient,labels,fold")

    (found,) = mistakes(tmp_path)

    assert found.startswith("labels.csv:2: the line must be text without control characters, but ")
    assert repr(row[column]) in found


@pytest.mark.parametrize("fold", ["Test", "TEST", "tset", "tests", "Train", "val", "valid", "Validation", "dev"])
def test_a_fold_that_resembles_a_part_is_no_validation_fold_without_a_word(tmp_path, fold):
    for name in ("a", "b"):
        write_wfdb(tmp_path, name, noise(1))
    write_table(tmp_path, [["a", "p", "x", "1"], ["b", "q", "y", fold]], header="record,patient,labels,fold")

    assert mistakes(tmp_path) == [
        f"labels.csv:3: fold must be test, train, validation where that is meant, in these letters, but got {fold!r}"
    ]


def test_beside_train_and_validation_there_is_no_third_fold(tmp_path):
    folds = ["train", "validation", "test", "", "site-a"]
    for name in "abcde":
        write_wfdb(tmp_path, name, noise(1))
    rows = [
        [name, name, "xy"[number % 2], fold] for number, (name, fold) in enumerate(zip("abcde", folds, strict=True))
    ]
    write_table(tmp_path, rows, header="record,patient,labels,fold")

    assert mistakes(tmp_path) == [
        "labels.csv:6: fold must be test, train, validation or empty where others are train or validation, got 'site-a'"
    ]


def test_folds_may_have_any_other_names(tmp_path):
    for name in "abcd":
        write_wfdb(tmp_path, name, noise(1))
    rows = [[n, n, "xy"[i % 2], f] for i, (n, f) in enumerate(zip("abcd", ["site-a", "b", "7", "test"], strict=True))]
    write_table(tmp_path, rows, header="record,patient,labels,fold")

    assert [record.fold for record in own_source(tmp_path).records] == ["site-a", "b", "7", "test"]


def test_a_table_of_folds_obeys_the_same_rules(tmp_path):
    source = small_source(tmp_path / "raw")
    table = tmp_path / "folds.csv"
    table.write_text("record,fold\nrec000x,Test\nrec001x,1\0\n")

    with pytest.raises(ValueError, match="fold must be test") as raised:
        with_folds(source, table)

    assert f"{table}:3: the line must be text without control characters" in str(raised.value)
    table.write_bytes(b"record,fold\nrec\xff,1\n")
    with pytest.raises(ValueError, match=r"folds\.csv: the file must be comma-separated UTF-8 text"):
        with_folds(source, table)


def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "r.hea")
    with pytest.raises(ValueError, match=r"r\.hea must be a plain file, but is none"):
        challenge_source(tmp_path)

    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(ValueError, match=r"labels\.csv is missing"):
        own_source(tmp_path)
