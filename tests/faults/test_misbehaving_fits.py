"""Fits that exit, crash, hang, run out of memory, fork, print: the search goes on to the table of well-behaved ones.

Each trial of one search misbehaves in a way of its own, on a Ray of its own.
"""

from dataclasses import replace

import pytest

from tests.faults.conftest import Judge
from tests.faults.misbehaving_task import DEEDS
from tests.faults.toy_run import ToyRun

pytestmark = pytest.mark.slow

SAID = {
    "exits": "worker lost",
    "calls sys.exit": "worker lost",
    "runs out of memory": "out of memory",
    "crashes": "worker lost",
    "hangs": "stalled",
}


def test_whatever_a_fit_does_once_costs_it_no_more_than_a_restart(run: ToyRun, judge: Judge) -> None:
    task = {"name": "tests.faults.misbehaving_task:MisbehavingToyTask", "with": {}}
    run = replace(run, changes={"task": task, "stall_s": 6})

    done = run.gone_on(ray=True)

    known = run.journal.read_bytes()
    for trial, deed in enumerate(DEEDS):
        words = f"trial {trial}: seed 0, fold 0: {SAID[deed]}" if deed in SAID else ""
        judge(f"a fit {deed}", run, known=known, lost=0, said=done, code=0, words=words)
