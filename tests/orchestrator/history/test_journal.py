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
from orchestrator.history.journal import Journal, read_journal
from orchestrator.history.records import Ask, End, Record, Reported, Stage, Start, State, Tell

RECORDS: list[Record] = [
    Ask(trial=0, cell=0, config={"x": 0.1, "kind": "plain", "on": True, "nothing": None}, origin="sampler"),
    Start(trial=0, seed=0, fold=0, bundle=None, incarnation="abc"),
    Reported(trial=0, seed=0, fold=0, step=1, metrics={"score": 0.1 + 0.2}, checkpoint="c.pt", decision="continue"),
    End(trial=0, seed=0, fold=0, state=State.FAILED, error='ValueError: "so", \\ \n ä'),
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
        assert 1 == data["version"]
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
