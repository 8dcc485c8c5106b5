"""The K most frequent codes as classes: chosen by train records alone, the same in every fold, or not at all."""

import csv
from collections import Counter

import numpy as np
import pytest

from ecgcore.data.manifest import read_manifest
from ecgcore.data.most_frequent import most_frequent
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.recipe_file import recipe_from
from ecgcore.data.sealed import open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import Split, open_store
from ecgcore.readers.labels_csv import own_source
from tests.ecgcore.data_command import main
from tests.ecgcore.raw_files import noise, write_table, write_wfdb

CLASSES = ("a", "b", "c", "d")
GIVEN = SplitRule(train=("train",), validation=("validation",), test=("test",))


def labels_of(*words):
    """A row a record, `ab` having the classes a and b."""
    return np.array([[name in word for name in CLASSES] for word in words], np.float32)


def fold(train, validation):
    return Split(np.array(train), np.array(validation))


def test_only_train_records_choose():
    labels = labels_of("a", "a", "b", "ab", "c", "d", "d", "d")

    assert most_frequent(labels, CLASSES, [fold([0, 1, 2, 3, 4], [5, 6, 7])], 2) == ("a", "b")


def test_folds_that_would_choose_differently_are_told_with_what_differs_and_what_would_do():
    labels = labels_of("a", "a", "a", "a", "b", "b", "c", "c", "d")

    with pytest.raises(ValueError, match="--most-frequent must be a number for which") as raised:
        most_frequent(labels, CLASSES, [fold([0, 1, 4, 5, 6, 8], [2, 3, 7]), fold([2, 3, 4, 6, 7, 8], [0, 1, 5])], 2)

    said = str(raised.value)
    assert "b is one in folds 0 (2, 1 train records, fold by fold)" in said
    assert "c is one in folds 1 (1, 2 train records, fold by fold)" in said
    assert "a is" not in said
    assert "they agree on 3, 4; take one of these" in said


@pytest.mark.parametrize("count", [4, 9])
def test_a_class_without_train_records_is_none(count):
    with pytest.raises(ValueError, match=rf"at most what each train part has classes of \(3\), but got {count}"):
        most_frequent(labels_of("a", "b", "c", "d"), CLASSES, [fold([0, 1, 2], [3])], count)


def source_of(folder, words, parts):
    """A record of each word, its letters being its codes, in the part that is said."""
    names = [f"r{number:02d}" for number in range(len(words))]
    for number, name in enumerate(names):
        write_wfdb(folder, name, noise(number))
    rows = [[name, name, ";".join(word), part] for name, word, part in zip(names, words, parts, strict=True)]
    write_table(folder, rows, header="record,patient,labels,fold")
    return own_source(folder)


def test_records_of_other_codes_leave_every_part_and_are_counted_not_named(tmp_path):
    words = ["ab", "a", "bc", "c", "a", "bd", "c", "d", "a", "b", "cd", "d"]
    parts = ["train"] * 4 + ["validation"] * 4 + ["test"] * 4
    request = StoreRequest(leads=("I", "II"), rule=GIVEN, most_frequent=2)

    manifest, _ = prepare(source_of(tmp_path / "raw", words, parts), tmp_path / "s", request)

    store, sealed = open_store(tmp_path / "s"), open_sealed(tmp_path / "s")
    assert store.classes == ("a", "b")
    assert (store.records.ids, sealed.ids) == (("r00", "r01", "r02", "r04", "r05"), ("r08", "r09"))
    assert store.records.labels.tolist() == [[1, 1], [1, 0], [0, 1], [1, 0], [0, 1]]
    assert manifest.left_out == {"without any of the 2 most frequent classes": 5}
    assert manifest.dropped == {}
    assert "r10" not in (tmp_path / "s" / "manifest.json").read_text()


def test_what_validation_and_test_records_say_changes_nothing(tmp_path):
    """Were every code of a record that is judged another, the classes would be the same."""
    parts = ["train"] * 4 + ["validation"] * 4 + ["test"] * 4
    request = StoreRequest(leads=("I", "II"), rule=GIVEN, most_frequent=2)
    train = ["a", "ab", "b", "c"]
    for name, judged in {"few": ["a", "b", "c", "c"] * 2, "many": ["ac", "cb", "c", "dc"] * 2}.items():
        prepare(source_of(tmp_path / name, [*train, *judged], parts), tmp_path / f"{name} s", request)

    assert open_store(tmp_path / "few s").classes == open_store(tmp_path / "many s").classes == ("a", "b")


def test_a_part_that_would_be_empty_is_refused(tmp_path):
    words = ["a", "b", "a", "b", "c", "c", "a", "b"]
    source = source_of(tmp_path / "raw", words, ["train"] * 4 + ["validation"] * 2 + ["test"] * 2)

    with pytest.raises(ValueError, match="leave none in validation of fold 0; take a larger number"):
        prepare(source, tmp_path / "s", StoreRequest(leads=("I", "II"), rule=GIVEN, most_frequent=2))

    assert not (tmp_path / "s").exists()


def test_it_is_an_option_and_a_key_of_a_recipe(tmp_path):
    words = ["a", "b", "c"] * 2 + ["a", "b"] * 8
    source_of(tmp_path / "raw", words, [""] * len(words))
    words = ["--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "I,II", "--folds", "2"]
    recipe = {"file": f"{tmp_path}/r.yaml", "store": "s", "recordings": {"reader": "own", "from": "raw"}}

    assert main("prepare", *words, "--most-frequent", "2") == 0

    assert open_store(tmp_path / "s").classes == ("a", "b")
    assert recipe_from({**recipe, "most_frequent": 2}).recipe.most_frequent == 2
    with pytest.raises(ValueError, match=r"r\.yaml: most_frequent: must be 2 or more, but got 1"):
        recipe_from({**recipe, "most_frequent": 1})


def test_of_ptbxl_six_codes_are_the_same_in_five_folds_and_five_are_not(recordings, tmp_path):
    """Three codes have 17 or 18 open records each: which two of them are the fourth and fifth is up to who is left."""
    words = ["--reader", "ptbxl", "--from", str(recordings / "ptbxl500"), "--target", "diagnostic", "--folds", "5"]
    words += ["--test-folds", "9", "--to", f"{tmp_path}/s"]
    with pytest.raises(ValueError, match=r"with 5 they differ: IMI is one in folds 0, 1, 2, 4 .*they agree on 2, 3, 6"):
        main("prepare", *words, "--most-frequent", "5")

    assert main("prepare", *words, "--most-frequent", "6") == 0

    store = open_store(tmp_path / "s")
    assert store.classes == ("IMI", "IRBBB", "LAFB", "LVH", "NDT", "NORM")
    told = read_manifest(tmp_path / "s").left_out["without any of the 6 most frequent classes"]
    with (tmp_path / "s" / "index.csv").open() as file:
        counted = Counter(label for row in csv.DictReader(file) for label in row["labels"].split(";"))
    assert told + len(store.records) + len(open_sealed(tmp_path / "s")) == 411
    assert counted == dict(zip(store.classes, store.records.labels.sum(axis=0).astype(int).tolist(), strict=True))
