"""The store of a recipe: made once, known again, made anew when the recipe changes, and never lost on the way."""

import json
import subprocess
import sys
import time

import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.recipe_file import recipe_from
from ecgcore.data.recipe_store import missing, prepare_store
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.labels_csv import own_source
from tests.ecgcore.raw_files import small_source


def recipe_of(folder, **changes):
    plain = {
        "file": str(folder / "recipe.yaml"),
        "store": "store",
        "recordings": {"reader": "own", "from": "raw"},
        "leads": ["I", "II"],
        "split": {"folds": 2},
    }
    return recipe_from({**plain, **changes})


class Said:
    """Remembers what was said to be done, and how many records it was told of."""

    def __init__(self):
        self.doing, self.records = [], 0

    def __call__(self, doing, done=0, total=None):
        self.doing += [] if doing in self.doing else [doing]
        self.records = max(self.records, done)


def test_it_is_prepared_once_and_then_needs_no_recordings(tmp_path):
    small_source(tmp_path / "raw")
    recipe, said = recipe_of(tmp_path), Said()

    assert missing(recipe) == f"{tmp_path}/store from {tmp_path}/raw (not there yet)"
    assert prepare_store(recipe, said)
    (tmp_path / "raw").rename(tmp_path / "away")

    assert missing(recipe) is None
    assert not prepare_store(recipe, said)
    assert (said.doing, said.records) == ([f"preparing {tmp_path}/store"], 40)
    assert len(open_store(tmp_path / "store").splits) == 2


def test_a_changed_recipe_is_prepared_anew(tmp_path):
    small_source(tmp_path / "raw")
    prepare_store(recipe_of(tmp_path), Said())

    changed = recipe_of(tmp_path, split={"folds": 3})

    assert "(the recipe has changed)" in missing(changed)
    assert prepare_store(changed, Said())
    assert len(open_store(tmp_path / "store").splits) == 3
    assert missing(changed) is None


def test_the_old_store_stays_where_the_new_one_cannot_be_made(tmp_path):
    small_source(tmp_path / "raw")
    prepare_store(recipe_of(tmp_path), Said())
    before = open_store(tmp_path / "store").content_hash

    with pytest.raises(ValueError, match=r"recipe\.yaml: 50 parts need 50 patients .* \(see folds, test_share\)"):
        prepare_store(recipe_of(tmp_path, split={"folds": 50}), Said())

    assert open_store(tmp_path / "store").content_hash == before


def test_a_changed_table_of_labels_is_noticed(tmp_path):
    small_source(tmp_path / "raw")
    recipe, table = recipe_of(tmp_path), tmp_path / "raw" / "labels.csv"
    prepare_store(recipe, Said())
    table.write_text(table.read_text().replace("calm", "quiet"))

    assert f"({table} has changed)" in missing(recipe)
    assert prepare_store(recipe, Said())
    assert open_store(tmp_path / "store").classes == ("quiet", "wild")


def test_a_recipe_that_says_the_same_in_other_words_keeps_the_store(tmp_path):
    """Its hash differs, its input does not: the manifest learns the new recipe, and no signal is written."""
    small_source(tmp_path / "raw")
    prepare_store(recipe_of(tmp_path), Said())
    written = (tmp_path / "store" / "signals.f32").stat()

    same = recipe_of(tmp_path, recordings={"reader": "own", "from": "raw", "labels": "raw/labels.csv"})

    assert missing(same) is not None
    assert not prepare_store(same, Said())
    assert missing(same) is None
    assert (tmp_path / "store" / "signals.f32").stat().st_ino == written.st_ino


def test_a_store_made_by_hand_is_kept_if_it_is_the_same_and_refused_otherwise(tmp_path):
    small_source(tmp_path / "raw")
    by_hand = StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"))
    manifest, _ = prepare(own_source(tmp_path / "raw"), tmp_path / "store", by_hand)
    inode = (tmp_path / "store" / "signals.f32").stat().st_ino

    with pytest.raises(ValueError, match=r"holds a store of other recordings or with other options .* another store"):
        prepare_store(recipe_of(tmp_path, split={"folds": 3}), Said())
    assert not prepare_store(recipe_of(tmp_path), Said())

    store = open_store(tmp_path / "store")
    assert (store.content_hash, (tmp_path / "store" / "signals.f32").stat().st_ino) == (manifest.content_hash, inode)
    assert missing(recipe_of(tmp_path)) is None


def test_recordings_that_are_nowhere_are_named_with_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_DATA", str(tmp_path / "shared"))
    download = {"url": "https://example.org/db", "size": "3 GB"}
    recipe = recipe_of(tmp_path, recordings=[
        {"reader": "ptbxl", "from": "big", "download": download},
        {"reader": "own", "from": "../mine"},
    ])  # fmt: skip

    with pytest.raises(ValueError, match="there is nothing at") as raised:
        missing(recipe)

    assert str(raised.value).splitlines() == [
        f"{tmp_path}/recipe.yaml: recordings: from: there is nothing at {tmp_path}/big or {tmp_path}/shared/big; get "
        "the recordings from https://example.org/db (3 GB) and put them there, or set ECG_DATA to the folder that "
        f"holds big (it is {tmp_path}/shared)",
        f"{tmp_path}/recipe.yaml: recordings: from: there is nothing at {tmp_path.parent}/mine; put them there",
    ]


def test_recordings_are_found_below_ecg_data(tmp_path, monkeypatch):
    small_source(tmp_path / "shared" / "raw")
    monkeypatch.setenv("ECG_DATA", str(tmp_path / "shared"))

    assert prepare_store(recipe_of(tmp_path), Said())


def test_synthetic_recordings_are_made_and_made_anew_when_they_are_to_be_others(tmp_path):
    def recipe(seed):
        synthetic = {"records": 20, "seed": seed, "seconds": 2}
        return recipe_of(tmp_path, recordings={"reader": "own", "from": "raw", "synthesize": synthetic})

    said = Said()
    assert f"{tmp_path}/store from 20 synthetic records" in missing(recipe(1))
    prepare_store(recipe(1), said)
    first = open_store(tmp_path / "store").content_hash
    prepare_store(recipe(2), Said())

    assert said.doing[0] == f"synthesizing 20 records into {tmp_path}/raw"
    assert json.loads((tmp_path / "raw" / "synthetic.json").read_text())["seed"] == 2
    assert open_store(tmp_path / "store").content_hash != first


SECOND = """
import sys, pathlib
sys.path.insert(0, {root!r})
from tests.ecgcore.data.test_recipe_store import recipe_of
from ecgcore.data.recipe_store import prepare_store
folder = pathlib.Path({folder!r})
doing = lambda text, done=0, total=None: (folder / "said").open("a").write(text)
print(prepare_store(recipe_of(folder), doing))
"""


def test_of_two_that_prepare_the_same_the_second_waits_and_says_so(tmp_path, pytestconfig):
    """The first is held up while it reads, until the second has said that it waits."""
    small_source(tmp_path / "raw")
    script = SECOND.format(root=str(pytestconfig.rootpath), folder=str(tmp_path))
    second: list[subprocess.Popen[str]] = []

    def hold_up(doing, done=0, total=None):
        if not second and total:
            second.append(subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True))
            until = time.monotonic() + 60
            while not (tmp_path / "said").exists():
                assert time.monotonic() < until, "the second said nothing"
                time.sleep(0.05)

    assert prepare_store(recipe_of(tmp_path), hold_up)

    output, _ = second[0].communicate(timeout=60)
    assert output == "False\n"
    assert (tmp_path / "said").read_text() == f"waiting for another process, which prepares {tmp_path}/store"
