"""What counts as spent: the wall-clock while a worker has a fit, over all starts, and the GPU-hours of the fits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, End, FitKey, Start, State
from orchestrator.history.run_folder import RunFolder
from orchestrator.history.time_at_work import TimeAtWork
from orchestrator.search.budget import Spending, fit_hours
from orchestrator.search.search import Search
from orchestrator.specs.specs import Budget
from tests.orchestrator.in_process import open_search, toy_spec

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def ledger_of_fits(hours: list[float]) -> Ledger:
    """Fits that ran side by side from the same moment on."""
    fits = [{"trial": 0, "seed": seed, "fold": 0} for seed in range(len(hours))]
    ledger = Ledger([(Ask(trial=0, cell=0, config={}, origin="grid"), BEGAN)])
    for fit in fits:
        ledger.apply(Start(**fit, bundle=None, incarnation="one"), BEGAN)
    for fit, took in sorted(zip(fits, hours, strict=True), key=lambda pair: pair[1]):
        ledger.apply(End(**fit, state=State.COMPLETE, error=None), BEGAN + timedelta(hours=took))
    return ledger


def test_fits_side_by_side_are_added_up() -> None:
    assert fit_hours(ledger_of_fits([1.0, 0.5, 2.0])) == pytest.approx(3.5)


@pytest.mark.parametrize(("gpus_per_fit", "over"), [(0.0, False), (0.5, False), (1.0, True)])
def test_gpu_hours_are_the_fits_hours_times_the_share_of_a_gpu_that_each_has(gpus_per_fit: float, over: bool) -> None:
    spending = Spending(Budget(gpu_hours=3.0), ledger_of_fits([1.0, 2.0]))
    spending.gpus_per_fit = gpus_per_fit
    assert over is spending.is_over


def test_minutes_go_on_from_what_earlier_starts_spent() -> None:
    now = BEGAN + timedelta(hours=5)  # the hours between the starts were nobody's
    ledger, key = ledger_of_fits([1.0]), FitKey(0, 0, 0)
    ledger.apply(Start(**key._asdict(), bundle=None, incarnation="two"), now)
    spending = Spending(Budget(minutes=90), ledger, at_work=lambda: [key], now=lambda: now)
    assert not spending.is_over
    now += timedelta(minutes=29)
    assert not spending.is_over
    now += timedelta(minutes=1)
    assert spending.is_over


def test_a_search_that_waits_for_workers_spends_no_minutes() -> None:
    now = BEGAN + timedelta(hours=100)
    ledger = ledger_of_fits([1.0])
    assert not Spending(Budget(minutes=61), ledger, now=lambda: now).is_over
    assert Spending(Budget(minutes=60), ledger, now=lambda: now).is_over


def test_minutes_in_which_fits_are_at_work_side_by_side_count_once_in_whatever_order_they_end() -> None:
    assert 2.0 == ledger_of_fits([1.0, 0.5, 2.0]).elapsed_s / 3600


def at(hours: float) -> datetime:
    return BEGAN + timedelta(hours=hours)


def test_time_between_two_stretches_of_work_is_filled_by_one_that_spans_it() -> None:
    work = TimeAtWork()
    work.add(at(1), at(2))
    work.add(at(3), at(4))
    assert 2.0 == work.seconds / 3600
    assert 3.5 == work.with_open(at(1.5), at(4.5)) / 3600
    assert 3.0 == work.with_open(at(5), at(6)) / 3600
    work.add(at(0), at(4.5))
    assert 4.5 == work.seconds / 3600


def test_without_a_budget_nothing_is_ever_spent() -> None:
    assert not Spending(None, ledger_of_fits([1000.0])).is_over


class Clock:
    """Of a search in this process: each look is the same moment until somebody moves it."""

    def __init__(self) -> None:
        self.now = BEGAN

    def opened(self, path: Path, **changes: Any) -> Search:
        search = open_search(
            toy_spec(sampler="grid", trials=None, space={"x": {"choice": [0.3, 0.5]}}, **changes), path
        )
        search.journal._now = search.spending._now = lambda: self.now
        return search

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


def next_key(search: Search) -> FitKey:
    following = search.next_fit()
    assert following is not None
    return following[0]


def test_a_fit_that_the_budget_stops_at_a_step_done_again_is_to_be_continued(tmp_path: Path) -> None:
    clock, budget = Clock(), {"minutes": 10}
    search = clock.opened(tmp_path, max_steps=20, budget=budget)
    key = next_key(search)
    for step in range(1, 10):
        clock.passes(minutes=1)
        assert not search.reported(key, step, {"score": 0.1 * step}, None)
    search.close()
    clock.passes(minutes=30)
    search = clock.opened(tmp_path, max_steps=20, budget=budget)
    assert key == next_key(search)
    clock.passes(minutes=1)
    assert search.reported(key, 1, {"score": 0.1}, None), "the tenth minute"
    search.returned(key)
    assert State.RUNNING is search.ledger.fit(key).state
    assert search.next_fit() is None
    search.close()


def test_the_time_without_a_driver_is_nobodys_also_where_a_fit_is_of_no_more_use(tmp_path: Path) -> None:
    clock = Clock()
    search = clock.opened(tmp_path, folds=2, concurrency=2, budget={"minutes": 60})
    first, second = next_key(search), next_key(search)
    clock.passes(minutes=1)
    search.reported(second, 1, {"score": 0.5}, None)
    search.failed(first, "ValueError: no")
    search.close()
    journal = RunFolder(tmp_path).journal
    known = journal.read_bytes()
    for away in (0, 12 * 60):
        journal.write_bytes(known)
        clock.now = BEGAN + timedelta(minutes=1 + away)
        search = clock.opened(tmp_path, folds=2, concurrency=2, budget={"minutes": 60})
        assert State.INCOMPLETE is search.ledger.fit(second).state
        assert (60, 60) == (search.ledger.elapsed_s, search.ledger.longest_step_s)
        assert not search.spending.is_over
        search.close()
