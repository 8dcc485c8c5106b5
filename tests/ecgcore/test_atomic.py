from pathlib import Path

import pytest

from ecgcore.atomic import replacing


def test_a_file_appears_whole_with_the_folder_it_lies_in(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as beside:
        beside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def stopped(path: Path) -> None:
    with replacing(path) as beside:
        beside.write_text("ha")
        raise SystemExit(0)


def test_a_stop_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(SystemExit):
        stopped(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_gone_after_the_next(tmp_path):
    path = tmp_path / "file.txt"
    (tmp_path / ".file.txt.part").write_text("ha")
    with replacing(path) as beside:
        beside.write_text("whole")
    assert [found.name for found in tmp_path.iterdir()] == ["file.txt"]
