"""What counts as spent: the wall-clock while a worker has a fit, over all starts, and the GPU-hours of the fits."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, End, FitKey, Start, State
from orchestrator.history.time_at_work import TimeAtWork
from orchestrator.search.budget import Spending, fit_hours
from orchestrator.specs.specs import Budget

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
