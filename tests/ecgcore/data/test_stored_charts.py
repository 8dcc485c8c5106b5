"""Charts beside signals in a store: every record's own, in its part, as they were drawn."""

import json
import sys
from dataclasses import replace as with_changes

import numpy as np
import pytest

from ecgcore.data.manifest import SPLITS, file_facts, read_manifest, write_manifest
from ecgcore.data.outer_parts import OuterPart, without_outer
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.recipe_file import recipe_from
from ecgcore.data.sealed import open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.drawing.charts import LAYOUTS, ChartForm, draw
from ecgcore.inspection.check import describe_store
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.arithmetic import STANDARD_LEADS
from ecgcore.signals.processing import Processing
from tests.ecgcore.raw_files import noise, small_source, write_table, write_wfdb

FORM = ChartForm(LAYOUTS, 64)
TWO = StoreRequest(rule=SplitRule(folds=2), charts=FORM, allow_refused=50)


def twelve(folder, *, patients=20, copies=()):
    """Two records of each patient; `copies`: (record, of which other) pairs that hold the same signal."""
    rows = []
    for number in range(2 * patients):
        seed = dict(copies).get(number, number)
        write_wfdb(folder, f"rec{number:03d}", noise(seed, leads=12, samples=400), leads=STANDARD_LEADS)
        rows.append([f"rec{number:03d}", f"pat{number // 2:03d}", ["calm", "wild"][number // 2 % 2]])
    write_table(folder, rows)
    return own_source(folder)


def charts_of(records, index):
    """Return the charts of one record: (views, 3, pixels, pixels)."""
    begin = int(records.chart_numbers[index]) * FORM.size
    return records.charts[begin : begin + FORM.size].reshape(len(FORM.layouts), 3, FORM.pixels, FORM.pixels)


def assert_own(records, *, rate):
    """Fail unless the charts of every record are those of its signal."""
    for index in range(len(records)):
        drawn = draw(records.signal(index), FORM, rate=rate, leads=STANDARD_LEADS)
        assert np.array_equal(drawn, charts_of(records, index)), records.ids[index]


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("rate", [None, 50.0])
def test_every_record_has_its_own_charts_also_in_the_test_part_and_where_one_was_refused(tmp_path, rate):
    source = twelve(tmp_path / "source")
    write_wfdb(source.directory, "rec003", np.zeros((12, 400), "i2"), leads=STANDARD_LEADS)

    prepare(source, tmp_path / "store", with_changes(TWO, rate=rate, processing=Processing(notch=20)))

    store, sealed = open_store(tmp_path / "store"), open_sealed(tmp_path / "store")
    assert store.charts == FORM
    assert store.rate == (rate or 100)
    assert len(store.records) + len(sealed) == 39
    for records in (store.records, sealed):
        assert len(records.charts) == len(records) * FORM.size
        assert_own(records, rate=store.rate)
    with pytest.raises(ValueError, match="read-only"):
        store.records.charts[0] = 1


def test_some_of_the_records_keep_their_charts(tmp_path):
    """Every way to a part of a store goes through `only`, once or several times."""
    prepare(twelve(tmp_path / "source"), tmp_path / "store", TWO)
    store = open_store(tmp_path / "store")

    inner, held = without_outer(store, OuterPart(1, 3))

    for records in (inner.records, held, inner.records.only(np.array([7, 2, 5])).only(np.array([2, 0]))):
        assert_own(records, rate=store.rate)


def test_any_number_of_processes_and_an_interrupt_give_the_same_charts(tmp_path):
    source = twelve(tmp_path / "source")
    prepare(source, tmp_path / "one", TWO)
    prepare(source, tmp_path / "two", with_changes(TWO, workers=2))

    def stop(done, records):
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "resumed", TWO, progress=stop)
    assert sorted((tmp_path / ".resumed.unfinished").glob("*.charts"))
    prepare(source, tmp_path / "resumed", TWO)

    assert content(tmp_path / "one") == content(tmp_path / "two") == content(tmp_path / "resumed")


def test_a_recording_that_is_there_twice_is_on_one_side_and_so_are_all_its_pictures(tmp_path):
    prepare(twelve(tmp_path / "source", copies=[(30, 1), (35, 1)]), tmp_path / "store", TWO)

    store, sealed = open_store(tmp_path / "store"), open_sealed(tmp_path / "store")
    copies = {"rec001", "rec030", "rec035"}
    parts = [{store.records.ids[index] for index in split.validation} for split in store.splits] + [set(sealed.ids)]
    assert all(copies <= part or not copies & part for part in parts)


def test_a_store_whose_pictures_of_one_recording_are_in_two_parts_is_not_opened(tmp_path):
    """As where folds divide pictures rather than records: one view to learn from, the other to be judged by."""
    folder = tmp_path / "store"
    prepare(twelve(tmp_path / "source", copies=[(30, 1)]), folder, with_changes(TWO, rule=SplitRule(test_share=0)))
    names = open_store(folder).records.ids
    splits = json.loads((folder / SPLITS).read_text())
    for fold in splits:
        for part in fold.values():
            part[:] = [record for record in part if names[record] not in ("rec001", "rec030")]
        fold["train"].append(names.index("rec001"))
        fold["validation"].append(names.index("rec030"))
    (folder / SPLITS).write_text(json.dumps(splits))
    manifest = read_manifest(folder)
    files = {**manifest.content.files, SPLITS: file_facts(folder / SPLITS)}
    write_manifest(folder, with_changes(manifest, content=with_changes(manifest.content, files=files)))

    with pytest.raises(ValueError, match=r"no signal may be in two parts, but train of fold 0 .* share 1"):
        open_store(folder)


@pytest.mark.parametrize(
    ("processing", "hashes"),
    [
        (
            Processing(),
            (
                "ed194a9a69e5e525b911159cf6816adee92a8ad33a1b133c0e1e7662c7b8fc09",
                "07c339ed48b99b6b548952e33c016e8b4b72e0cf96f6c845dd928baeb929a435",
                "56984df2f729f6caebf02b27e36e77869eb3d1b015111c5b3687f05f5b2b5349",
            ),
        ),
        (
            Processing(half=True),
            (
                "0f3d3bb384a2fdc724d62ae64d949b0356772a02d59f1cf0c5a723de3bf3d8ad",
                "45a305230feeca55a09e986653d94737f34e81508e6dfd279980007e0f17cd52",
                "01aad9e177b229d7061650376fbed6a1a1f5df5c840e65479eb2cc4b20a66589",
            ),
        ),
    ],
)
def test_a_store_without_charts_is_the_one_that_it_was_before_there_were_any(tmp_path, processing, hashes):
    request = StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"), processing=processing)

    manifest, _ = prepare(small_source(tmp_path / "source"), tmp_path / "store", request)

    assert hashes == (manifest.input_hash, manifest.content_hash, manifest.sealed_hash)
    assert '"charts"' not in (tmp_path / "store" / "manifest.json").read_text()
    store = open_store(tmp_path / "store")
    assert store.charts is store.records.charts is store.records.chart_numbers is None


def test_charts_are_part_of_a_stores_identity(tmp_path):
    source = twelve(tmp_path / "source")
    forms = [None, FORM, ChartForm(("4x3",), 64), ChartForm(("2x6", "4x3"), 64), ChartForm(LAYOUTS, 65)]
    made = [prepare(source, tmp_path / f"s{n}", with_changes(TWO, charts=form))[0] for n, form in enumerate(forms)]

    assert len({one.input_hash for one in made}) == len({one.content_hash for one in made}) == len(forms)
    with pytest.raises(ValueError, match="with other options"):
        prepare(source, tmp_path / "s0", TWO)


def test_a_changed_or_shortened_file_of_charts_is_noticed(tmp_path):
    prepare(twelve(tmp_path / "source"), tmp_path / "store", TWO)
    assert "charts: 4x3 and 2x6, 64 px" in describe_store(tmp_path / "store").lines()
    path, sealed = tmp_path / "store" / "charts.u8", tmp_path / "store" / "sealed" / "charts.u8"
    sealed_bytes = sealed.read_bytes()

    sealed.write_bytes(sealed_bytes[::-1])
    with pytest.raises(ValueError, match="sealed was changed"):
        open_sealed(tmp_path / "store")
    sealed.unlink()
    with pytest.raises(ValueError, match=r"sealed has no charts\.u8"):
        open_sealed(tmp_path / "store")
    sealed.write_bytes(sealed_bytes)
    path.write_bytes(path.read_bytes()[::-1])
    open_store(tmp_path / "store")  # in no time, whatever its size
    with pytest.raises(ValueError, match=r"charts\.u8 was changed: its sha256"):
        describe_store(tmp_path / "store")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"charts\.u8 must have \d+ bytes"):
        open_store(tmp_path / "store")


def test_without_the_libraries_nothing_is_read_and_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "aggdraw", None)

    with pytest.raises(ValueError, match=r"pip install 'orchestrate\[vision\]'"):
        prepare(twelve(tmp_path / "source"), tmp_path / "store", TWO)

    assert ["source"] == [path.name for path in tmp_path.iterdir()]


def recipe(**changes):
    return recipe_from({"file": "/p/r.yaml", "store": "s", "recordings": {"reader": "own", "from": "raw"}, **changes})


def test_a_recipe_says_which_charts():
    said = recipe(charts={"layouts": ["4x3", "2x6"]})

    assert said.recipe.charts == ChartForm(("4x3", "2x6"), 224)
    assert said.digest == recipe(charts={"layouts": ["4x3", "2x6"], "pixels": 224}).digest
    assert len({said.digest, recipe().digest, recipe(charts={"layouts": ["4x3"]}).digest}) == 3


@pytest.mark.parametrize(
    ("charts", "told"),
    [
        (
            {"layouts": ["3x4"], "pixels": 9},
            [
                "charts.layouts: must be 4x3 or 2x6, or both, but got '3x4'",
                "charts.pixels: must be from 64 to 1024, but got 9",
            ],
        ),
        (
            {"layouts": ["4x3"]},
            [
                "normalise: must be left out where charts are drawn, which are in mV, but got 'lead'",
                "leads: must be the standard 12, or more, where charts are drawn, but lack "
                "III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6",
            ],
        ),
        ({"layouts": "4x3"}, ["charts.layouts: must be a valid list, got '4x3'"]),
        ({"layouts": ["4x3"], "size": 3}, ["charts.size: unknown key; the keys here are layouts, pixels"]),
        ({"pixels": 300}, ["charts.layouts: is required"]),
    ],
)
def test_a_mistake_of_charts_is_told_with_all_others(charts, told):
    with pytest.raises(ValueError, match=r"r\.yaml") as raised:
        recipe(charts=charts, normalise="lead", leads=["I", "II"], rate=-1.0)

    lines = str(raised.value).splitlines()
    assert {f"/p/r.yaml: {line}" for line in told} <= set(lines)
    assert "/p/r.yaml: rate: must be above 0 and at most 1000000 Hz, but got -1.0" in lines
