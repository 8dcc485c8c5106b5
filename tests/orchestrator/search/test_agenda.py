"""Which fits are still to be run, and that their number can be read while the search changes."""

import threading
from pathlib import Path

from orchestrator.history.records import State
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec


def test_the_fits_left_are_those_of_trials_not_told_less_what_these_have_finished(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=3, seeds=2, sampler="random"), tmp_path / "run")
    assert 6 == search.fits_left
    key, _fit = search.next_fit() or (None, None)
    assert key is not None
    search.reported(key, 1, {"score": 0.5}, None)
    assert 6 == search.fits_left
    search.returned(key)
    assert 5 == search.fits_left
    search.close()
    again = open_search(toy_spec(trials=4, seeds=2, sampler="random"), tmp_path / "run")
    assert 7 == again.fits_left, "one trial more, and the finished fit is known from the journal"
    run_in_process(again)
    assert 0 == again.fits_left
    assert {State.COMPLETE} == {trial.state for trial in again.ledger.told()}


def test_another_thread_may_ask_how_many_fits_are_left_while_the_search_goes_on(tmp_path: Path) -> None:
    """Counted in that thread, the number would be read off dictionaries that change size meanwhile."""
    search = open_search(toy_spec(trials=60, sampler="random"), tmp_path / "run")
    seen, over = set(), threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.add(search.fits_left)

    thread = threading.Thread(target=look)
    thread.start()
    run_in_process(search)
    over.set()
    thread.join()
    assert all(isinstance(number, int) for number in seen)
    assert vars(search)["fits_left"] == 0, "a value that is written, not one that is worked out by whoever reads it"
