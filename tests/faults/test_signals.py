"""Ctrl-C, `kill`, a terminal that closes, Ctrl-Z and `fg`: the driver ends or sleeps, and the same command goes on.

Several signals hit one run, one start after the other. Of three fits at a time they run on a Ray of their own.
"""

import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun

pytestmark = pytest.mark.slow

INTERRUPTED = {"INT": 130, "TERM": 143, "HUP": 129}
MOMENTS = {"in start-up": "start:1:before", "amid": "report-continue:2:after", "at the end": "copy:1:before"}
IN_RAYS_START = "ray:1:amid"


def test_a_signal_interrupts_the_driver_and_the_same_command_goes_on(run: ToyRun, judge: Judge) -> None:
    ray = run.at_a_time > 1
    met = []
    for when, moment in MOMENTS.items():
        for signal, code in INTERRUPTED.items():
            at = IN_RAYS_START if ray and when == "in start-up" else moment
            said = run.struck(f"{at}:{signal}", ray=ray)
            assert code == said.returncode, (signal, when, said.stdout, said.stderr)
            met.append((f"SIG{signal} to the driver {when}", said, run.journal.read_bytes()))

    done = run.gone_on()

    assert 0 == done.returncode, done.stderr
    for fault, said, known in met:
        judge(fault, run, known=known, lost=0, said=said, code=said.returncode, words="interrupted; nothing is lost")


def test_a_driver_that_was_stopped_goes_on_where_it_was(run: ToyRun, judge: Judge) -> None:
    ray = run.at_a_time > 1
    done = run.put_to_sleep("report-continue:4:after:TSTP:group", seconds=5 if ray else 1, ray=ray)

    judge("Ctrl-Z (SIGTSTP), later fg (SIGCONT)", run, known=run.journal.read_bytes(), lost=0, said=done, code=0)
