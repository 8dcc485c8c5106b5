import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from ecgcore.data import piecewise as spool
from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.processing import Processing
from tests.ecgcore.raw_files import small_source, write_wfdb

TWO = StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"))


@pytest.fixture
def source(tmp_path):
    return small_source(tmp_path / "source", patients=40)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def pieces(folder):
    return sorted((folder / ".store.unfinished").glob("*.json"))


def test_any_number_of_processes_gives_the_same_store(source, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        prepare(source, tmp_path / name, StoreRequest(rule=TWO.rule, leads=TWO.leads, workers=workers))

    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_progress_counts_every_record(source, tmp_path):
    heard = []

    prepare(source, tmp_path / "store", TWO, progress=lambda done, records: heard.append((done, records)))

    assert heard[-1] == (80, 80)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_an_interrupt_leaves_pieces_that_the_next_goes_on_from(source, tmp_path):
    """What was read is not read again: its recordings may even be gone by then."""

    def stop(done, records):
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "store", TWO, progress=stop)
    assert not (tmp_path / "store").exists()
    left = pieces(tmp_path)
    assert 0 < len(left) < 30
    before = {path.name: path.stat().st_mtime_ns for path in left}

    heard = []
    prepare(source, tmp_path / "store", TWO, progress=lambda done, _: heard.append(before == times(tmp_path, before)))

    assert heard
    assert all(heard)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "store"]
    prepare(source, tmp_path / "straight", TWO)
    assert content(tmp_path / "store") == content(tmp_path / "straight")


def times(folder, names):
    return {path.name: path.stat().st_mtime_ns for path in pieces(folder) if path.name in names}


def test_pieces_of_another_request_are_not_taken(source, tmp_path):
    def stop(done, records):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "store", StoreRequest(rule=TWO.rule, leads=TWO.leads, rate=50.0), progress=stop)

    prepare(source, tmp_path / "store", TWO)

    assert open_store(tmp_path / "store").rate == 100.0
    assert set(open_store(tmp_path / "store").records.lengths.tolist()) == {200}


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["the command", "a process that reads"])
def test_a_killed_preparation_goes_on_and_leaves_no_process(tmp_path, victim):
    """SIGKILL while two processes read, as asked though so few: all end; the same command completes the same store."""
    small_source(tmp_path / "source", patients=80)
    words = [sys.executable, "-m", "tests.ecgcore.data_command", "prepare", "--reader", "own", "--leads", "I,II"]
    words += ["--workers", "2", "--from", f"{tmp_path}/source", "--to", f"{tmp_path}/store"]
    started = psutil.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while started.poll() is None and not pieces(tmp_path):
        time.sleep(0.002)
    readers = started.children(recursive=True)
    (started if victim == "the command" else readers[-1]).send_signal(signal.SIGKILL)
    _, said = started.communicate()
    assert len(readers) >= 2
    assert psutil.wait_procs(readers, timeout=20)[1] == []
    assert not (tmp_path / "store").exists()
    assert pieces(tmp_path)
    if victim == "a process that reads":
        assert started.returncode == 1
        assert "a process that read recordings was ended from outside" in said

    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    source = own_source(tmp_path / "source")
    prepare(source, tmp_path / "straight", StoreRequest(rule=SplitRule(), leads=("I", "II")))
    assert open_store(tmp_path / "store").content_hash == open_store(tmp_path / "straight").content_hash
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "store", "straight"]


def test_two_who_write_the_same_store_do_not_meet(source, tmp_path):
    def second(done, records):
        with pytest.raises(ValueError, match="is being written by another process"):
            prepare(source, tmp_path / "store", TWO)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "store", TWO, progress=second)


def test_filters_and_half_precision_are_part_of_a_stores_identity(source, tmp_path):
    hashes = set()
    for number, processing in enumerate(
        [Processing(), Processing(band_pass=(1, 40)), Processing(normalise="lead"), Processing(half=True)]
    ):
        request = StoreRequest(rule=TWO.rule, leads=TWO.leads, processing=processing)
        manifest, _ = prepare(source, tmp_path / f"s{number}", request)
        hashes |= {manifest.content_hash}
        store = open_store(tmp_path / f"s{number}")
        assert dict(store.processing).keys() - {"largest_rounding_error"} == processing.described().keys()

    assert len(hashes) == 4
    half = open_store(tmp_path / "s3")
    assert half.records.signal(0).dtype == "float32"
    assert half.records.fingerprints.tolist() == open_store(tmp_path / "s0").records.fingerprints.tolist()
    error = abs(half.records.signal(0) - open_store(tmp_path / "s0").records.signal(0)).max()
    assert 0 < error <= half.processing["largest_rounding_error"]
    assert (tmp_path / "s3" / "signals.f16").stat().st_size * 2 == (tmp_path / "s0" / "signals.f32").stat().st_size
    with pytest.raises(ValueError, match="with other options"):
        prepare(source, tmp_path / "s0", StoreRequest(rule=TWO.rule, leads=TWO.leads, processing=Processing(half=True)))


def test_a_store_of_before_keeps_its_identity(source, tmp_path):
    """A manifest that says nothing of processing has the hash that it always had: an opened test part is recognised."""
    manifest, _ = prepare(source, tmp_path / "store", TWO)
    path = tmp_path / "store" / "manifest.json"
    text = json.loads(path.read_text())
    for name in ("unknown_codes", "corrected"):
        del text[name]
    del text["content"]["processing"]
    path.write_text(json.dumps(text))

    assert open_store(tmp_path / "store").content_hash == manifest.content_hash


def test_a_refused_recording_is_refused_in_its_piece(source, tmp_path):
    write_wfdb(source.directory, "rec004x", spool.np.zeros((2, 50), "i2"))

    manifest, _ = prepare(source, tmp_path / "store", TWO)

    assert manifest.refused == {"rec004x": "every lead is flat: there is no signal in it"}
