"""What becomes of fits that are lost with their workers, with fits run in this process or told to be lost."""

from pathlib import Path

import pytest

from orchestrator.errors import Pointless
from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.history.failures import Failure
from orchestrator.history.records import FitKey, State
from orchestrator.search.search import Search
from tests.orchestrator.in_process import open_search, toy_spec

NEEDS_ROOM = {"name": "tests.orchestrator.execution.tasks:NeedsRoom", "with": {"folds": 1}}


def begun(path: Path, **changes: object) -> Search:
    return open_search(toy_spec(trials=2, **changes), path)  # of two, one may fail without an end of all


def next_key(search: Search) -> FitKey:
    following = search.next_fit()
    assert following is not None
    return following[0]


def losses_until_it_fails(path: Path, failure: Failure, *, most: int) -> tuple[int, str | None]:
    search = begun(path)
    for number in range(1, most + 1):
        key = next_key(search)
        search.lost(key, "gone", failure)
        if (fit := search.ledger.fit(key)).state is State.FAILED:
            search.close()
            assert failure is fit.failure
            return number, fit.error
    search.close()
    return most, None


@pytest.mark.parametrize(
    ("failure", "times", "words"),
    [
        (Failure.GPU_MEMORY, 1, "out of GPU memory: gone; give it a smaller batch"),
        (Failure.HOST_MEMORY, 3, "out of memory 3 times in a row without finishing a step: gone; run fewer fits"),
        (Failure.STALLED, 4, "stalled 4 times in a row without finishing a step: gone; see what it printed last"),
        (Failure.NODE, 11, "node lost 11 times in a row without finishing a step: gone; it may need more memory"),
        (Failure.WORKER, 3, "worker lost 3 times in a row without finishing a step: gone"),
        (Failure.WALL_TIME, 6, "wall time 6 times in a row without finishing a step: gone; its steps take longer"),
    ],
)
def test_each_way_to_be_lost_has_its_number_of_restarts(
    tmp_path: Path, failure: Failure, times: int, words: str
) -> None:
    number, error = losses_until_it_fails(tmp_path / "run", failure, most=20)
    assert times == number
    assert words in str(error)


def test_what_is_no_fault_of_the_fits_never_fails_it(tmp_path: Path) -> None:
    assert (20, None) == losses_until_it_fails(tmp_path / "run", Failure.PREEMPTED, most=20)


def test_a_step_between_two_losses_begins_the_count_again(tmp_path: Path) -> None:
    search = begun(tmp_path / "run")
    for step in range(1, 4):
        search.lost(key := next_key(search), "killed")
        search.reported(next_key(search), step, {"score": 0.5}, None)
        search.lost(key, "killed")
    assert State.RUNNING is search.ledger.fit(key).state
    search.close()


def test_a_driver_that_was_killed_amid_a_row_of_losses_goes_on_counting(tmp_path: Path) -> None:
    for _ in range(2):
        search = begun(tmp_path / "run")
        search.lost(next_key(search), "killed")
        search.close()
    again = begun(tmp_path / "run")
    again.lost(key := next_key(again), "killed")
    assert (State.FAILED, Failure.WORKER) == (again.ledger.fit(key).state, again.ledger.fit(key).failure)
    again.close()


def test_out_of_a_gpus_memory_a_fit_is_not_begun_again_unchanged(tmp_path: Path) -> None:
    search = begun(tmp_path / "run", task=NEEDS_ROOM, max_steps=3)
    with pytest.raises(Pointless, match=r"the first 2 trials all failed alike.*out of GPU memory: OutOfMemoryError"):
        InProcessExecutor(keep_output=True).execute(search)
    assert [1, 1] == [fit.starts for trial in search.ledger.trials.values() for fit in trial.fits.values()]
    search.close()


def test_it_tries_once_with_half_its_batch_where_the_search_allows_it(tmp_path: Path) -> None:
    search = begun(tmp_path / "run", task=NEEDS_ROOM, max_steps=3, on_out_of_memory="halve_batch")
    InProcessExecutor(keep_output=True).execute(search)
    first, second = (search.ledger.fit(FitKey(trial, 0, 0)) for trial in range(2))
    assert (State.COMPLETE, 2, [(Failure.GPU_MEMORY, 1)]) == (first.state, first.starts, first.losses)
    assert (State.FAILED, 2, Failure.GPU_MEMORY) == (second.state, second.starts, second.failure)
    assert "out of GPU memory, also with half its batch: OutOfMemoryError: Tried to allocate" in str(second.error)
    steps = (tmp_path / "run" / "trials" / "0").rglob("steps.log")
    assert ["1", "2", "2", "3"] == [line.split()[0] for path in steps for line in path.read_text().splitlines()]
    search.close()
