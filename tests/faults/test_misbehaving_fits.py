"""Fits that exit, crash, hang, run out of memory, fork, print: the search goes on to the table of well-behaved ones."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun

pytestmark = pytest.mark.slow

SAID = {  # of each, in the order of the trials that do it
    "exits": "worker lost",
    "calls sys.exit": "worker lost",
    "runs out of memory": "out of memory",
    "crashes": "worker lost",
    "forks, and its child stays": "",
    "prints 40 MB, not all of it text": "",
    "hangs": "stalled",
}


def misbehaving(run: ToyRun, *deeds: str) -> ToyRun:
    task = {"name": "tests.faults.misbehaving_task:MisbehavingToyTask", "with": {"deeds": "/".join(deeds)}}
    return replace(run, changes={"task": task, "stall_s": 6})


def test_whatever_a_fit_does_once_costs_it_no_more_than_a_restart(run: ToyRun, judge: Judge) -> None:
    """Each trial of one search misbehaves in a way of its own, on a Ray of its own."""
    run = misbehaving(run, *SAID)

    done = run.gone_on(ray=True)

    known = run.journal.read_bytes()
    for trial, (deed, said) in enumerate(SAID.items()):
        words = said and f"trial {trial}: seed 0, fold 0: {said}"
        judge(f"a fit {deed}", run, known=known, lost=0, said=done, code=0, words=words)


@pytest.fixture
def alone(tmp_path: Path, mlflow_store: str) -> ToyRun:
    """A run whose fits share their process with the driver, which is one at a time."""
    return ToyRun(tmp_path, 1, mlflow_store)


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("calls sys.exit", "worker lost (SystemExit: this fit would rather leave)"),
        ("forks, and its child goes on, too", "or a fit forked this process, which ends and changes nothing more"),
    ],
)
def test_in_the_drivers_process_it_costs_no_more(alone: ToyRun, deed: str, words: str, judge: Judge) -> None:
    run = misbehaving(alone, deed)
    done = run.struck("none:1:after")
    judge(f"a fit {deed} (in-process)", run, known=run.journal.read_bytes(), lost=0, said=done, code=0, words=words)


def test_a_fits_child_that_outlives_its_driver_keeps_no_run_locked(alone: ToyRun, judge: Judge) -> None:
    run = misbehaving(alone, "forks, and its child stays")
    said = run.struck("report-continue:5:after")
    known = run.journal.read_bytes()
    (child,) = (int(path.read_text()) for path in run.path.glob("trials/*/*/child"))

    done = run.gone_on()

    os.kill(child, signal.SIGKILL)
    assert 0 == done.returncode, done.stderr
    judge("a fit forks, its child outlives the driver (in-process)", run, known=known, lost=0, said=said, code=-9)
