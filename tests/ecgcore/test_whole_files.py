import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ecgcore.whole_files import replacing, whole_folder


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


def write(target, text, **options):
    with whole_folder(target, marker="marker", **options) as folder:
        (folder / "marker").write_text(text)


def fail_half_way(target, failure):
    with whole_folder(target, marker="marker", replace=True) as folder:
        (folder / "half").write_text("half")
        raise failure


def everything(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole(tmp_path):
    write(tmp_path / "new" / "store", "one")

    assert (tmp_path / "new" / "store" / "marker").read_text() == "one"
    assert everything(tmp_path / "new") == ["store"]


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("there", [False, True])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, failure, there):
    if there:
        write(tmp_path / "store", "old")

    with pytest.raises(failure):
        fail_half_way(tmp_path / "store", failure)

    assert everything(tmp_path) == (["store"] if there else [])


def test_an_existing_folder_is_replaced_only_if_asked(tmp_path):
    write(tmp_path / "store", "old")
    with pytest.raises(ValueError, match="is already there; --replace writes it anew"):
        write(tmp_path / "store", "new")

    write(tmp_path / "store", "new", replace=True)

    assert (tmp_path / "store" / "marker").read_text() == "new"
    assert everything(tmp_path) == ["store"]


def test_a_folder_of_another_kind_is_never_removed(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")

    with pytest.raises(ValueError, match="must be free, or a folder with marker"):
        write(tmp_path / "home", "new", replace=True)

    assert (tmp_path / "home" / "thesis.tex").exists()


def test_an_empty_folder_is_free(tmp_path):
    (tmp_path / "store").mkdir()

    write(tmp_path / "store", "one")

    assert everything(tmp_path / "store") == ["marker"]


def test_what_a_killed_writer_left_is_no_store_and_is_cleared_by_the_next(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from ecgcore.whole_files import whole_folder\n"
        "with whole_folder(Path(sys.argv[1]), marker='marker') as folder:\n"
        "    (folder / 'half').write_text('half'); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "store")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "store").exists()

    write(tmp_path / "store", "one")

    assert everything(tmp_path) == ["store"]
