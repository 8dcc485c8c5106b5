"""A disk that fills up: one clear message, exit code 1, nothing half-written, and room makes the same command go on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.history.journal import read_journal
from orchestrator.specs.strict_yaml import read_yaml
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB, which the test may make larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting a small file system is not possible here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # a process that has just ended may still be on it


@pytest.mark.slow
def test_a_search_on_a_full_disk_says_so_and_goes_on_when_there_is_room(disk: Path, tmp_path: Path) -> None:
    grid = {"x": {"uniform": [-1, 1], "step": 0.1}, "y": {"choice": [0, 0.5]}}
    space = written(tmp_path / "toy.yaml", toy_search(folds=1, space=grid))
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(444 * 1024))  # what is left is less than the journal and the kept trials need

    full = orchestrate("search", "--space", space, "--runs", disk / "runs")
    assert 1 == full.returncode, full.stderr
    assert "No space left on device" in full.stderr
    assert "Traceback" not in full.stderr
    run = disk / "runs" / "toy"
    assert not list(run.rglob("*.part"))
    assert (run / "journal.jsonl").read_bytes().endswith(b"\n")
    if (run / "spec.yaml").exists():
        read_yaml(run / "spec.yaml")

    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    store = f"sqlite:///{tmp_path}/mlflow.db"  # an open one would keep the disk from being taken away
    again = orchestrate_here("search", "--space", space, "--runs", disk / "runs", MLFLOW_TRACKING_URI=store)
    assert 0 == again.returncode, again.stderr
    assert "42 complete of 42" in orchestrate_here("status", "toy", "--runs", disk / "runs").stdout
    assert len(read_journal(run / "journal.jsonl")) > 42 * 5
