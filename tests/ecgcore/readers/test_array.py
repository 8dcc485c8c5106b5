from dataclasses import replace

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.array import ArrayFormat, array_source
from ecgcore.readers.reading import read_listed
from tests.ecgcore.raw_files import write_table

FORM = ArrayFormat(rate=250.0, leads=("ii", "AVR"), unit="uV")


def write(folder, *, records=20, leads=2, samples=300):
    values = np.random.default_rng(1).normal(0, 500, (records, leads, samples)).astype(np.float32)
    np.save(folder / "records.npy", values)
    write_table(folder, [[f"r{i}", f"p{i // 2}", "ab"[i // 2 % 2]] for i in range(records)])
    return folder / "records.npy", values


def test_rows_are_read_in_the_order_of_the_table_in_millivolts(tmp_path):
    file, values = write(tmp_path)

    source = array_source(file, FORM)

    assert [record.name for record in source.records[:2]] == ["r0", "r1"]
    assert source.leads == ("II", "aVR")
    recording = read_listed(source.records[3], ("aVR", "II"))
    assert recording.signal == pytest.approx(values[3, ::-1] / 1000, rel=1e-5)
    assert (recording.rate, recording.units) == (250.0, ("uV", "uV"))


def test_a_shorter_record_ends_in_nan_and_a_hole_is_refused(tmp_path):
    file, values = write(tmp_path)
    values[0, :, 200:] = np.nan
    values[1, 0, 100] = np.nan
    values[2] = np.nan
    np.save(file, values)
    source = array_source(file, FORM)

    assert read_listed(source.records[0]).signal.shape == (2, 200)
    with pytest.raises(ValueError, match=r"^r1: invalid samples .* in II"):
        read_listed(source.records[1])
    with pytest.raises(ValueError, match=r"^r2: there are no samples"):
        read_listed(source.records[2])


def test_an_array_becomes_a_store(tmp_path):
    file, _ = write(tmp_path)

    prepare(
        array_source(file, FORM), tmp_path / "store", StoreRequest(rule=SplitRule(folds=2), leads=("II",), rate=100.0)
    )

    store = open_store(tmp_path / "store")
    assert (store.leads, store.rate, set(store.records.lengths.tolist())) == (("II",), 100.0, {120})


def test_what_an_array_does_not_say_must_be_named_all_at_once(tmp_path):
    file, _ = write(tmp_path)
    (tmp_path / "labels.csv").write_text("record,patient,labels\nr0,p0,a\n")

    with pytest.raises(ValueError, match="--array-rate must say") as raised:
        array_source(file, ArrayFormat(rate=None, leads=(), unit="furlong"))

    said = str(raised.value)
    for rule in (
        "--array-rate",
        "--array-leads",
        "--array-unit must be mV, uV or V, but got furlong",
        "1 lines for 20",
    ):
        assert rule in said


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 4)), r"must be an array of numbers \(records, leads, samples\), but is \(3, 4\)"),
        (np.array([[["a"]]]), "must be an array of numbers"),
        (np.zeros((20, 3, 10)), "the array has 3 and 2 are named"),
    ],
)
def test_an_array_of_another_form_is_refused(tmp_path, values, message):
    file, _ = write(tmp_path)
    np.save(file, values)

    with pytest.raises(ValueError, match=message):
        array_source(file, FORM)


@pytest.mark.parametrize("content", [b"", b"not an array", np.lib.format.MAGIC_PREFIX])
def test_a_file_that_is_no_array_is_refused(tmp_path, content):
    file, _ = write(tmp_path)
    file.write_bytes(content)

    with pytest.raises(ValueError, match=r"records\.npy: must be a \.npy file of numbers"):
        array_source(file, FORM)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    file, _ = write(tmp_path)
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(ValueError, match=r"records\.npy: must be a \.npy file of numbers"):
        array_source(file, FORM)


def test_another_unit_or_rate_is_another_preparation(tmp_path):
    file, _ = write(tmp_path)
    request = StoreRequest(rule=SplitRule(folds=2), leads=("II",))
    prepare(array_source(file, FORM), tmp_path / "store", request)

    for other in (replace(FORM, unit="mV"), replace(FORM, rate=500.0), replace(FORM, leads=("aVR", "II"))):
        with pytest.raises(ValueError, match="holds a store of other recordings or with other options"):
            prepare(array_source(file, other), tmp_path / "store", request)

    assert prepare(array_source(file, FORM), tmp_path / "store", request)[1] is False
