"""The journal keeps every whole record through any cut, refuses damage, and has one writer."""

import json
import logging
import math
import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import RunFailed
from orchestrator.history import records
from orchestrator.history.failures import Failure
from orchestrator.history.journal import Journal, read_journal
from orchestrator.history.records import Ask, End, Lost, Record, Reported, Stage, Start, State, Tell

RECORDS: list[Record] = [
    Ask(trial=0, cell=0, config={"x": 0.1, "kind": "plain", "on": True, "nothing": None}, origin="sampler"),
    Start(trial=0, seed=0, fold=0, bundle=None, incarnation="abc"),
    Reported(trial=0, seed=0, fold=0, step=1, metrics={"score": 0.1 + 0.2}, checkpoint="c.pt", decision="continue"),
    Lost(trial=0, seed=0, fold=0, failure=Failure.STALLED, error="it said nothing"),
    End(trial=0, seed=0, fold=0, state=State.FAILED, error='ValueError: "so", \\ \n ä', failure=Failure.CODE),
    Tell(trial=0, state=State.FAILED, value=None),
    Stage(name="head", winner=3),
    records.TestOpened(final="final", checkpoints=("a", "b")),
]


def written(path: Path, records: list[Record] = RECORDS) -> Path:
    journal = Journal(path)
    for record in records:
        journal.append(record)
    journal.close()
    return path


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    assert RECORDS == [record for record, _at in read_journal(written(tmp_path / "j"))]


def test_a_line_is_json_whose_last_key_is_its_checksum_and_every_record_has_version_and_at(tmp_path: Path) -> None:
    for line in written(tmp_path / "j").read_text().splitlines():
        data = json.loads(line)
        assert "crc32" == list(data)[-1]
        assert 3 == data["version"]
        assert "after" == list(data)[-2]
        assert data["at"].endswith("+00:00")


def test_cut_at_any_byte_the_whole_lines_survive_and_the_next_writer_goes_on(tmp_path: Path) -> None:
    content = written(tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    for size in range(len(content)):
        path.write_bytes(content[:size])
        whole = content[:size].count(b"\n")
        assert RECORDS[:whole] == [record for record, _at in read_journal(path)]
        journal = Journal(path)
        journal.append(RECORDS[0])
        journal.close()
        assert [*RECORDS[:whole], RECORDS[0]] == [record for record, _at in read_journal(path)]


def test_a_torn_tail_is_cut_off_with_a_warning_that_names_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "j")
    with path.open("ab") as file:
        file.write(b'{"event": "ask", "ver')
    with caplog.at_level(logging.WARNING):
        Journal(path).close()
    assert f"{path}: cut off a torn last line (21 bytes)" in caplog.text


def test_damage_before_the_last_line_is_refused_with_its_line_number(tmp_path: Path) -> None:
    path = written(tmp_path / "j")
    path.write_bytes(path.read_bytes().replace(b'"sampler"', b'"sampleX"', 1))
    with pytest.raises(RunFailed, match=r"j:1: damaged line \(its checksum does not fit\)"):
        read_journal(path)


def chained(path: Path) -> list[bytes]:
    return written(path).read_bytes().splitlines(keepends=True)


def harmed(lines: list[bytes], number: int, harm: str) -> bytes:
    """The lines, of which the one of this number (from 1) is removed, or doubled, or swapped with the next."""
    before, (line, *after) = lines[: number - 1], lines[number - 1 :]
    left = {"removed": after, "doubled": [line, line, *after], "swapped": [*after[:1], line, *after[1:]]}[harm]
    return b"".join([*before, *left])


EARLIER = Path(__file__).parents[1] / "search" / "journal_of_2026_11.jsonl"  # whose lines are not chained


@pytest.mark.parametrize("number", range(2, 7))
@pytest.mark.parametrize("harm", ["removed", "doubled", "swapped"])
def test_a_line_that_is_removed_doubled_or_swapped_is_damage_with_its_number(
    tmp_path: Path, harm: str, number: int
) -> None:
    lines = chained(tmp_path / "j")
    (tmp_path / "j").write_bytes(harmed(lines, number, harm))
    found = number + (harm == "doubled")
    after = rf"it was written after another .*head -n {found - 1}\)"
    with pytest.raises(RunFailed, match=rf"j:{found}: damaged line \({after}"):
        read_journal(tmp_path / "j")


def test_without_its_first_line_a_journal_is_damaged(tmp_path: Path) -> None:
    lines = chained(tmp_path / "j")
    (tmp_path / "j").write_bytes(b"".join(lines[1:]))
    with pytest.raises(RunFailed, match=r"j:1: damaged line .*restore the file from a copy, or give a new --name"):
        read_journal(tmp_path / "j")


def test_a_journal_of_an_earlier_version_goes_on_chained(tmp_path: Path) -> None:
    path = tmp_path / "j"
    earlier = EARLIER.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(earlier))
    before = [record for record, _at in read_journal(path)]
    assert [*before, *RECORDS] == [record for record, _at in read_journal(written(path))]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*earlier[:-1], *lines[len(earlier) :]]))
    with pytest.raises(RunFailed, match=rf"j:{len(earlier)}: damaged line"):
        read_journal(path)


@pytest.mark.parametrize(
    ("number", "harm", "found", "reason"),
    [
        (2, "removed", 2, "it is of trial 0, which was not asked for"),
        (3, "removed", 3, "it is of trial 0, seed 0, fold 0, which was not started"),
        (4, "doubled", 5, "it reports step 1 of trial 0, seed 0, fold 0 again"),
        (2, "doubled", 3, "it asks for trial 0 where 1 is the next"),
        (15, "doubled", 16, "it tells trial 0 again"),
        (2, "swapped", 2, "it is of trial 0, which was not asked for"),
        (3, "swapped", 3, "it is of trial 0, seed 0, fold 0, which was not started"),
    ],
)
def test_where_no_chain_says_it_a_record_that_cannot_follow_is_damage(
    tmp_path: Path, number: int, harm: str, found: int, reason: str
) -> None:
    path = tmp_path / "j"
    lines = EARLIER.read_bytes().splitlines(keepends=True)
    path.write_bytes(harmed(lines, number, harm))
    with pytest.raises(RunFailed, match=rf"j:{found}: damaged line \({reason}\)"):
        read_journal(path)


@pytest.mark.parametrize("garbage", [b"garbage", b"garbage\n", b"\0\0\0\0", b'{"event": "ask"}\n', b"\n"])
def test_a_journal_of_one_garbage_line_is_damaged_and_is_not_written_to(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "j").write_bytes(garbage)
    for read in (read_journal, Journal):
        with pytest.raises(RunFailed, match="j:1: damaged line"):
            read(tmp_path / "j")
    assert garbage == (tmp_path / "j").read_bytes()


def test_a_whole_last_line_with_another_content_is_damage_and_no_torn_tail(tmp_path: Path) -> None:
    path = written(tmp_path / "j")
    path.write_bytes(path.read_bytes().replace(b'"final": "final"', b'"final": "other"'))
    with pytest.raises(RunFailed, match=rf"j:{len(RECORDS)}: damaged line \(its checksum does not fit\)"):
        read_journal(path)


def test_what_a_power_cut_left_of_the_last_line_is_torn(tmp_path: Path) -> None:
    path = written(tmp_path / "j")
    content = path.read_bytes()
    path.write_bytes(content[:-40] + bytes(39) + b"\n")
    assert RECORDS[:-1] == [record for record, _at in read_journal(path)]


def test_a_line_of_which_the_disk_takes_a_few_bytes_at_a_time_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: whole_write(file, line[:100]))  # a disk on which little is free
    assert RECORDS == [record for record, _at in read_journal(written(tmp_path / "j"))]


def test_a_number_that_is_not_finite_is_null_in_the_file_and_nan_in_memory(tmp_path: Path) -> None:
    record = Reported(trial=0, seed=0, fold=0, step=1, metrics={"score": math.inf}, checkpoint=None, decision="stop")
    path = written(tmp_path / "j", [record])
    assert '"score": null' in path.read_text()
    ((found, _at),) = read_journal(path)
    assert isinstance(found, Reported)
    assert math.isnan(found.metrics["score"])


def test_a_second_writer_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with pytest.raises(RunFailed, match="another driver writes this journal"):
        Journal(tmp_path / "j")
    journal.close()
    Journal(tmp_path / "j").close()


def test_a_full_disk_leaves_the_record_before_and_one_clear_message(small_disk: Path) -> None:
    journal = Journal(small_disk / "j")

    def fill() -> None:
        for number in range(100_000):
            journal.append(Ask(trial=number, cell=0, config={"x": 0.5}, origin="sampler"))

    with pytest.raises(RunFailed, match=r"j: the journal cannot be written \(No space left on device\)") as caught:
        fill()
    known = len(journal.entries)
    journal.close()
    assert known == len(read_journal(small_disk / "j"))
    assert (small_disk / "j").read_bytes().endswith(b"\n")
    assert "make room" in str(caught.value)


@pytest.fixture
def small_disk(tmp_path: Path) -> object:
    """A file system of 64 KiB, mounted for the test."""
    if os.getuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a small file system is not allowed here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("record", "on_disk"),
    [
        (RECORDS[0], True),
        (RECORDS[1], False),
        (Reported(trial=0, seed=0, fold=0, step=1, metrics={}, checkpoint=None, decision="continue"), False),
        (Reported(trial=0, seed=0, fold=0, step=1, metrics={}, checkpoint=None, decision="stop"), True),
        (RECORDS[2], True),  # with a checkpoint
    ],
)
def test_what_a_power_cut_must_not_take_is_on_disk_before_anything_follows_from_it(
    record: Record, on_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j")
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(file), sync(file)))
    journal.append(record)
    assert on_disk is bool(synced)
    journal.close()


def test_a_line_whose_writing_was_interrupted_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever caught the interruption may write on, and a shorter line."""
    journal = Journal(tmp_path / "j")
    journal.append(RECORDS[0])

    def interrupted(_file: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append(RECORDS[-1])
    journal.append(RECORDS[1])
    journal.close()
    assert RECORDS[:2] == [record for record, _at in read_journal(tmp_path / "j")]
