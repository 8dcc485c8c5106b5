"""The time of day goes back by an hour while a search runs, and is right again when it is gone on with."""

import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun

pytestmark = pytest.mark.slow


def test_a_clock_that_goes_back_changes_neither_the_table_nor_what_fits_cost(run: ToyRun, judge: Judge) -> None:
    said = run.struck("report-continue:4:after:CLOCK,report-continue:9:after", ray=run.at_a_time > 1)
    known = run.journal.read_bytes()

    done = run.gone_on()

    assert 0 == done.returncode, done.stderr
    assert sorted(run.moments()) != run.moments(), "the journal was to be written by a clock that went back"
    assert all(0 <= seconds < 600 for seconds in run.seconds())
    judge("the clock goes back an hour, kill -9, the clock is right", run, known=known, lost=0, said=said, code=-9)
