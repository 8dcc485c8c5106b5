"""A disk that fills up, in bytes or in files: one clear message, exit code 1, nothing half-written.

Room makes the same command go on. Full is the disk of the run, of the prepared store, or of temporary files.
"""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.specs.strict_yaml import read_yaml
from tests.ecgcore.raw_files import small_source
from tests.faults.conftest import Judge
from tests.faults.fault_table import Row
from tests.faults.toy_run import ToyRun
from tests.orchestrator.command import orchestrate

pytestmark = pytest.mark.slow

FULL = "No space left on device"
WHAT = ["bytes", "inodes"]
AMPLE = "size=64m,nr_inodes=0"
Size = Callable[[Path, str], None]


@pytest.fixture
def mounted() -> Iterator[Size]:
    """Mount a file system of a size there, or change its size."""
    folders = []

    def sized(folder: Path, size: str) -> None:
        folder.mkdir(exist_ok=True)
        how = ["-o", f"remount,{size}", folder] if folder in folders else ["-t", "tmpfs", "-o", size, "tmpfs", folder]
        mounted = subprocess.run(["mount", *how], capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"mounting a small file system is not possible here: {mounted.stderr.strip()}")
        folders.append(folder)

    yield sized
    for folder in set(folders):  # a process that has just ended may still be on it
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("what", WHAT)
def test_a_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    what: str, run: ToyRun, mounted: Size, judge: Judge
) -> None:
    mounted(run.folder / "disk", {"bytes": "size=64k", "inodes": "size=8m,nr_inodes=20"}[what])
    full = replace(run, folder=run.folder / "disk")

    said = full.struck("none:1:after", ray=run.at_a_time > 1)

    known = full.journal.read_bytes()
    assert known.endswith(b"\n")
    assert not list(full.path.rglob("*.part"))
    read_yaml(full.path / "spec.yaml")
    mounted(full.folder, AMPLE)
    done = full.gone_on()
    assert 0 == done.returncode, done.stderr
    assert "make room, then give the same command again" in said.stderr
    assert str(full.path) in said.stderr
    judge(f"full disk ({what}): run folder", full, known=known, lost=0, said=said, code=1, words=FULL)


@pytest.mark.parametrize("what", WHAT)
def test_where_there_is_no_room_for_rays_temporary_files_it_is_not_started(
    what: str, run: ToyRun, short_temp: Path, mounted: Size, judge: Judge
) -> None:
    mounted(short_temp, {"bytes": "size=1m", "inodes": "size=64m,nr_inodes=30"}[what])

    said = run.struck("none:1:after", ray=True)

    known = run.journal.read_bytes()
    assert not list(short_temp.iterdir())
    mounted(short_temp, AMPLE)
    done = run.gone_on()
    assert 0 == done.returncode, done.stderr
    words = "make room, or let TMPDIR name another folder, then give the same command again"
    judge(f"full disk ({what}): temporary files", run, known=known, lost=0, said=said, code=1, words=words)


@pytest.mark.parametrize("what", WHAT)
def test_a_store_on_a_full_disk_is_made_when_there_is_room(
    what: str, tmp_path: Path, mounted: Size, request: pytest.FixtureRequest
) -> None:
    small_source(tmp_path / "raw", patients=10)
    words = ["data", "prepare", "--reader", "own", "--from", tmp_path / "raw", "--leads", "I,II", "--folds", 2, "--to"]
    mounted(tmp_path / "disk", {"bytes": "size=32k", "inodes": "size=8m,nr_inodes=12"}[what])
    store = tmp_path / "disk" / "store"

    said = orchestrate(*words, store)

    assert (1, False) == (said.returncode, store.exists()), said.stderr
    assert "Traceback" not in said.stderr
    assert f"{FULL}; nothing was left behind: free some space and repeat the command" in said.stderr
    mounted(tmp_path / "disk", AMPLE)
    assert 0 == orchestrate(*words, store).returncode
    assert 0 == orchestrate(*words, tmp_path / "undisturbed").returncode
    assert not subprocess.run(["diff", "-r", store, tmp_path / "undisturbed"], check=False).returncode
    line = said.stderr.replace(f"{tmp_path}/", "").splitlines()[0]
    Row(f"full disk ({what}): prepared store", "none yet", f"exit 1: {line}", "nothing", "yes: the store").attach(
        request.node
    )
