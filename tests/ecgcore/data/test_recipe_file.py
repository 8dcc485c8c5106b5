"""What a recipe may say, and how its mistakes are told."""

from pathlib import Path

import pytest

from ecgcore.data.recipe_file import recipe_from
from ecgcore.readers.label_map import SHIPPED

FILE = Path("/project/recordings/mine.yaml")


def mapping(**changes):
    plain = {"file": str(FILE), "store": "../data/mine", "recordings": {"reader": "own", "from": "raw"}}
    return {**plain, **changes}


def mistakes(**changes):
    with pytest.raises(ValueError, match="mine") as raised:
        recipe_from(mapping(**changes))
    return str(raised.value).splitlines()


def test_paths_are_relative_to_the_file():
    recipe = recipe_from(mapping(split={"folds": 2, "fold_table": "folds.csv"}))

    assert recipe.store == Path("/project/data/mine")
    assert recipe.recipe.recordings.wishes[0][1].directory == FILE.parent / "raw"
    assert recipe.recipe.recordings.fold_table == FILE.parent / "folds.csv"


@pytest.mark.parametrize(
    ("split", "folds"),
    [
        ({"train_folds": "1-6", "validation_folds": [7, 8], "test_folds": 9}, 1),
        ({"folds": 1}, 1),
        ({"folds": 3, "repeats": 2}, 6),
        ({"folds": "auto"}, None),  # as many as the recordings have people for
        ({}, None),
    ],
)
def test_the_folds_are_known_before_anything_is_read_where_the_recipe_decides_them(split, folds):
    assert recipe_from(mapping(split=split)).folds == folds


def test_folds_are_named_by_range_by_list_or_by_number():
    rule = recipe_from(mapping(split={"train_folds": "1-3", "validation_folds": [7, 8], "test_folds": 9})).recipe.rule

    assert (rule.train, rule.validation, rule.test) == (("1", "2", "3"), ("7", "8"), ("9",))


def test_every_wrong_key_and_kind_is_told_with_its_place_and_the_way_out():
    wrong = {"reader": "own", "from": "raw", "colour": "red", "synthesize": {"records": "many", "seed": 1}}

    found = mistakes(recordings=[wrong], rate="fast", split={"fold": 3}, label_map="challenge2021")

    assert len(found) == 5
    assert any(
        f"{FILE}: recordings.0.colour: unknown key; the keys here are reader, from, labels" in one for one in found
    )
    assert f"{FILE}: recordings.0.synthesize.records: must be a valid integer, got 'many'" in found
    assert f"{FILE}: rate: must be a valid number, got 'fast'" in found
    assert f"{FILE}: split.fold: unknown key; the keys here are folds, repeats" in "\n".join(found)
    assert f"{FILE}: label_map: must be the path of a YAML file, such as {SHIPPED}" in "\n".join(found)
    assert mistakes(recordings={"reader": "own"}) == [f"{FILE}: recordings.from: is required"]


def test_every_impossible_value_is_told_by_its_key():
    found = mistakes(
        recordings=[
            {"reader": "own", "from": "raw", "synthesize": {"records": 2, "seed": 1, "cohort": "C"}},
            {"reader": "ludb", "from": "ludb", "target": "beats", "window": [0.3, 0.5]},
            {"reader": "numpy", "from": "x.npy"},
            {"reader": "cinc", "from": "x"},
        ],
        rate=-1,
        notch=0,
        split={"folds": 0, "test_share": 0.9},
    )

    for said in (
        "recordings.0.synthesize.records: must be from 4, one of each rhythm, to 1000000, but got 2",
        "recordings.0.synthesize.cohort: must be A or B, but got 'C'",
        "recordings.1: window, piece and paced are for mitdb, but the reader is ludb",
        "recordings.1.target: must be rhythm or codes for ludb, but got 'beats'",
        "recordings.2.array_rate: must say the sampling rate of the array in Hz, but got None",
        "recordings.3.reader: must be ptbxl, cinc2017, challenge, ludb, mitdb, heartbeat_csv, chapman, numpy, own, "
        "but got 'cinc'",
        "rate: must be above 0 and at most 1000000 Hz, but got -1.0",
        "notch: must be above 0 Hz, but got 0",
        "split.folds: must be from 1 (one hold-out part) to 1000, or auto, but got 0",
        "split.test_share: must be 0 (no test part) or from 0.05 to 0.5, but got 0.9",
    ):
        assert f"{FILE}: {said}" in found
    assert not [line for line in found if "--" in line]


@pytest.mark.parametrize("folds", ["many", 2.5, True, [3]])
def test_folds_are_a_whole_number_or_auto(folds):
    assert mistakes(split={"folds": folds}) == [f"{FILE}: split.folds: must be a whole number, or auto, got {folds!r}"]


def test_a_wrong_kind_hides_no_impossible_value():
    right, unreadable = {"reader": "numpy", "from": "x.npy"}, {"reader": "own", "form": "raw"}

    found = "\n".join(mistakes(recordings=[unreadable, right], rate="fast", notch=0, split={"folds": 0}))

    assert len(found.splitlines()) == 8
    for said in (
        "recordings.0.from: is required",
        "recordings.0.form: unknown key",
        "recordings.1.array_rate: must say",
        "recordings.1.array_leads: must name",
        "recordings.1.array_unit: must be",
        "rate: must be a valid number, got 'fast'",
        "notch: must be above 0 Hz, but got 0",
        "split.folds: must be from 1",
    ):
        assert f"{FILE}: {said}" in found


def test_a_recipe_of_nothing_right_is_told_as_such():
    assert mistakes(recordings=3, store=None, split="x")[0].startswith(f"{FILE}: store: must be a valid string")


def test_folds_that_are_automatic_leave_no_repeats_to_say():
    assert mistakes(split={"folds": "auto", "repeats": 2}) == [
        f"{FILE}: split: folds auto says how often they are drawn, too: leave repeats 2 out"
    ]


def test_a_single_folder_is_named_without_a_number():
    assert mistakes(recordings={"reader": "own", "from": "raw", "target": "x"}) == [
        f"{FILE}: recordings: target is for ptbxl, ludb, mitdb, but got 'x' for own"
    ]


def test_ptbxl_is_not_divided_without_a_word():
    (said,) = mistakes(recordings={"reader": "ptbxl", "from": "ptbxl"})

    assert said.startswith(f"{FILE}: split: say how ptbxl is divided: train_folds 1-8 validation_folds 9")


def test_a_mistake_of_the_label_map_names_both_files():
    (said,) = mistakes(label_map={"file": "/maps/m.yaml", "multilabel": True, "classes": {"a": [1], "b": [1]}})

    assert said == f"{FILE}: label_map: /maps/m.yaml: classes.b: code 1 is in a already; a code has one class"


def test_recipes_are_equal_wherever_the_store_lies_and_whoever_offers_the_recordings():
    plain = recipe_from(mapping(split={"folds": 2}))
    download = {"reader": "own", "from": "raw", "download": {"url": "https://example.org", "size": "1 GB"}}

    elsewhere = recipe_from(mapping(store="x", recordings=[download], split={"folds": 2, "repeats": 1}))

    assert elsewhere.digest == plain.digest
    assert recipe_from(mapping(split={"folds": 3})).digest != plain.digest
