"""For how long fits have been silent, and for how long they may be."""

import math
from datetime import UTC, datetime, timedelta

from orchestrator.history.failures import Failure
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, Lost, Reported, Start
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


def test_a_fit_may_be_silent_for_ten_times_the_longest_step_so_far_and_for_ten_minutes_at_least() -> None:
    assert [600, 600, 1000] == [
        longest_silence(None, ledger) for ledger in (Ledger(), with_step_of(9), with_step_of(100))
    ]


def test_the_search_may_say_how_long_and_nought_is_for_ever() -> None:
    assert (30, math.inf) == (longest_silence(30, with_step_of(100)), longest_silence(0, with_step_of(100)))


def test_the_time_in_which_a_fit_hung_is_no_step() -> None:
    ledger = with_step_of(9)
    ledger.apply(Lost(**FIT, failure=Failure.STALLED, error=""), BEGAN + timedelta(hours=9))
    assert 600 == longest_silence(None, ledger)


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
