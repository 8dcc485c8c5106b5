"""The driver is killed at each kind of event in one search, each time for real; the same command goes on.

What may differ from a search that was never killed: times. What may not: any other byte of the table. That this holds
for a kill at every single record, before, amid and after it, is shown by test_cut_journal, without a process.
"""

import csv
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from orchestrator.history.journal import read_journal
from orchestrator.history.records import End, Reported, Start
from orchestrator.specs.strict_yaml import write_yaml
from tests.faults.killed_driver import killed
from tests.orchestrator.command import orchestrate
from tests.orchestrator.without_ray import orchestrate_here

pytestmark = pytest.mark.slow

KILLS = ["search:1:after", "ask:1:amid", "start:2:before", "report-continue:3:after", "end:1:before"]
KILLS += ["tell-complete:1:before", "report-stop:1:after", "tell-pruned:1:before"]


def space_file(folder: Path, *, concurrency: int) -> Path:
    spec = {
        "task": {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.03}},
        "metric": "score",
        "max_steps": 4,
        "seeds": 2,
        "folds": 1,
        "concurrency": concurrency,
        "sampler": "tpe",
        "trials": 14,
        "startup_trials": 4,
        "prune": {"successive_halving": {"min_steps": 1, "factor": 2}},
        "space": {"x": {"uniform": [-1, 1]}, "y": {"uniform": [0, 1], "step": 0.25}},
    }
    path = folder / "toy.yaml"
    path.write_text(write_yaml(spec))
    return path


def untimed_table(path: Path) -> list[dict[str, str]]:
    return [{**row, "seconds": ""} for row in csv.DictReader(path.read_text().splitlines())]


def fit_processes(run: Path) -> set[tuple[int, float]]:
    """The processes that have worked on the run's fits, as the toy task wrote them down, and when it did so last."""
    logs = list(run.glob("trials/*/*/steps.log"))
    return {(int(line.split()[1]), log.stat().st_mtime) for log in logs for line in log.read_text().splitlines()}


def assert_no_fit_process_lives_after(seconds: float, run: Path) -> None:
    deadline = time.monotonic() + seconds
    while living := [pid for pid, worked_at in fit_processes(run) if lives(pid, worked_at)]:
        assert time.monotonic() < deadline, f"fit processes {living} outlive their driver"
        time.sleep(0.1)


def lives(pid: int, worked_at: float) -> bool:
    """Whether it is this process that lives, and not a later one to which its number was given again."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() < worked_at + 1
    except psutil.NoSuchProcess:
        return False


def kill_at_each_event(space: Path, runs: Path) -> Path:
    run = runs / "toy"
    for kill in KILLS:
        done = killed("search", "--space", space, "--runs", runs, kill=kill, ray=True)
        assert done.returncode == -9, f"{kill}: was to be killed, but: {done.stdout}{done.stderr}"
        assert_no_fit_process_lives_after(90, run)
    done = orchestrate("search", "--space", space, "--runs", runs)
    assert done.returncode == 0, done.stderr
    return run


def test_one_fit_at_a_time_kills_leave_the_table_of_an_uninterrupted_search(tmp_path: Path) -> None:
    space = space_file(tmp_path, concurrency=1)
    smooth = orchestrate_here("search", "--space", space, "--runs", tmp_path / "smooth")
    assert smooth.returncode == 0, smooth.stderr

    run = kill_at_each_event(space, tmp_path / "killed")

    assert untimed_table(tmp_path / "smooth" / "toy" / "table.csv") == untimed_table(run / "table.csv")
    assert (tmp_path / "smooth" / "toy" / "winner.json").read_bytes() == (run / "winner.json").read_bytes()


def test_three_fits_at_a_time_kills_lose_no_fit_and_run_none_twice(tmp_path: Path) -> None:
    space = space_file(tmp_path, concurrency=3)

    run = kill_at_each_event(space, tmp_path)

    records = [record for record, _at in read_journal(run / "journal.jsonl")]
    ends = Counter((r.trial, r.seed, r.fold) for r in records if isinstance(r, End))
    started = {(r.trial, r.seed, r.fold) for r in records if isinstance(r, Start)}
    reports = Counter((r.trial, r.seed, r.fold, r.step) for r in records if isinstance(r, Reported))
    assert started == set(ends)
    assert set(ends.values()) == {1}
    assert set(reports.values()) == {1}
    assert all(row["state"] in ("complete", "pruned", "duplicate") for row in untimed_table(run / "table.csv"))
    logs = list(run.glob("trials/*/*/steps.log"))
    worked = Counter((log.parent, line.split()[0]) for log in logs for line in log.read_text().splitlines())
    repeated = sum(times - 1 for times in worked.values())
    assert repeated <= 3 * len(KILLS), "at most one step of each fit in flight is done again after a kill"


def test_what_a_killed_driver_left_running_is_ended_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = space_file(tmp_path, concurrency=1)
    with tempfile.TemporaryDirectory(
        dir="/tmp", prefix="t", ignore_cleanup_errors=True
    ) as short:  # Ray's sockets leave no room for a long path
        monkeypatch.setenv("TMPDIR", short)
        killed("search", "--space", space, "--runs", tmp_path, kill="report-continue:2:after", ray=True)
        (left,) = Path(short).glob("opr-*")

        assert orchestrate("search", "--space", space, "--runs", tmp_path).returncode == 0

        assert not left.exists()
        assert not [p.pid for p in psutil.process_iter() if str(left) in environment_of(p)]


def environment_of(process: psutil.Process) -> str:
    try:
        return str(process.environ()) if process.uids().real == os.getuid() else ""
    except (psutil.Error, OSError):
        return ""
