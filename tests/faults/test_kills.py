"""kill -9 of the driver, of a worker, of Ray's own processes: the same command, or the driver itself, goes on.

What may differ from a search that was never killed: times. What may not: any other byte of the table. That this holds
for a kill at every single record, before, amid and after it, is shown by test_cut_journal, without a process. Several
kills hit one run, one after the other, on Rays of its own.
"""

import os
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun

pytestmark = pytest.mark.slow


KILLS = {  # of the driver: by their moment, how many events may be lost
    "in start-up": ("ray:1:amid", 0),
    "before an event": ("report-continue:5:before", 0),
    "amid an event": ("end:2:amid", 1),
    "after an event": ("ask:1:after", 0),
    "at the end, before the table": ("tables:1:before", 0),
    "at the end, amid the copy to MLflow": ("copy:3:before", 0),
}


def test_after_each_kill_of_the_driver_the_same_command_goes_on(run: ToyRun, short_temp: Path, judge: Judge) -> None:
    met = []
    for when, (moment, lost) in KILLS.items():
        said = run.struck(moment, ray=True)
        assert -9 == said.returncode, f"{when}: was to be killed, but: {said.stdout}{said.stderr}"
        known = run.journal.read_bytes()
        assert_no_fit_process_lives_after(90, run.path)
        met.append((when, said, known, lost))

    done = run.gone_on()

    assert 0 == done.returncode, done.stderr
    assert run.steps_done_again() <= run.at_a_time * len(KILLS), "at most one step of each fit in flight"
    nexts = [*(said for _when, said, *_rest in met[1:]), done]
    for (when, said, known, lost), then in zip(met, nexts, strict=True):
        judge(f"kill -9 of the driver {when}", run, known=known, lost=lost, said=said, code=-9, then=then)


def test_a_killed_worker_is_replaced_and_what_a_killed_driver_left_is_ended(
    run: ToyRun, short_temp: Path, judge: Judge
) -> None:
    first = run.struck("report-continue:2:after:KILL:worker,report-continue:6:after", ray=True)
    assert -9 == first.returncode, first.stderr
    known = run.journal.read_bytes()
    (left,) = short_temp.glob("opr-*")

    done = run.gone_on(ray=True)

    assert 0 == done.returncode, done.stderr
    assert not left.exists()
    assert not [p.pid for p in psutil.process_iter() if str(left) in environment_of(p)]
    judge("kill -9 of a worker", run, known=known, lost=0, said=first, code=-9, words="worker lost")


def environment_of(process: psutil.Process) -> str:
    try:
        return str(process.environ()) if process.uids().real == os.getuid() else ""
    except (psutil.Error, OSError):
        return ""


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
