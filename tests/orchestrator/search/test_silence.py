"""For how long fits have been silent, and for how long they may be."""

import math
from datetime import UTC, datetime, timedelta

from orchestrator.history.failures import Failure
from orchestrator.history.ledger import FitEntry, Ledger
from orchestrator.history.records import Ask, FitKey, Lost, Reported, Start
from orchestrator.search.silence import Silences, longest_silence

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FIT = {"trial": 0, "seed": 0, "fold": 0}


def with_step_of(seconds: float) -> Ledger:
    start = Start(**FIT, bundle=None, incarnation="a")
    step = Reported(**FIT, step=1, metrics={"score": 0.5}, checkpoint=None, decision="continue")
    return Ledger(
        [
            (Ask(trial=0, cell=0, config={}, origin="grid"), BEGAN),
            (start, BEGAN),
            (step, BEGAN + timedelta(seconds=seconds)),
        ]
    )


def may_be_silent(ledger: Ledger, stall_s: float | None = None) -> float:
    return longest_silence(stall_s, ledger, FitEntry(FitKey(1, 0, 0)))


def test_a_fit_may_be_silent_for_ten_times_the_longest_step_so_far_and_for_ten_minutes_at_least() -> None:
    assert [600, 1000] == [may_be_silent(with_step_of(seconds)) for seconds in (9, 100)]


def test_before_anybody_knows_how_long_a_step_takes_it_may_take_two_hours() -> None:
    assert 7200 == may_be_silent(Ledger())


def test_the_search_may_say_how_long_and_nought_is_for_ever() -> None:
    assert (30, math.inf) == (may_be_silent(with_step_of(100), 30), may_be_silent(with_step_of(100), 0))


def test_the_time_in_which_a_fit_hung_is_no_step() -> None:
    ledger = with_step_of(9)
    ledger.apply(Lost(**FIT, failure=Failure.STALLED, error=""), BEGAN + timedelta(hours=9))
    assert 600 == may_be_silent(ledger)


def test_a_fit_that_stalled_is_given_twice_the_time_unless_the_search_says_how_long() -> None:
    """It may be one whose steps take longer than all that were seen."""
    ledger = with_step_of(9)
    fit, given = ledger.fit(FitKey(0, 0, 0)), []
    for hours in (1, 2, 3):
        given.append((longest_silence(None, ledger, fit), longest_silence(30, ledger, fit)))
        ledger.apply(Lost(**FIT, failure=Failure.STALLED, error=""), BEGAN + timedelta(hours=hours))
    assert [(600, 30), (1200, 30), (2400, 30)] == given


def test_silence_is_counted_from_the_last_word_and_from_the_first_look() -> None:
    silences = Silences[str]()
    assert {"a": 0} == silences.look({"a"}, now=10)
    assert {"a": 1, "b": 0} == silences.look({"a", "b"}, now=11)
    silences.heard("a")
    assert {"a": 0, "b": 1} == silences.look({"a", "b"}, now=12)
    assert {"a": 1} == silences.look({"a"}, now=13)


def test_while_the_driver_itself_stood_still_nobody_was_silent_for_more_than_a_look() -> None:
    silences = Silences[str]()
    silences.look({"a"}, now=0)
    assert {"a": Silences.MOST_A_LOOK_S} == silences.look({"a"}, now=9999)
