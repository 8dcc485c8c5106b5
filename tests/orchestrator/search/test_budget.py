"""What counts as spent: the wall-clock of every start while fits run, and the GPU-hours of the fits."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, End, Start, State
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
    now = 100.0
    spending = Spending(Budget(minutes=90), ledger_of_fits([1.0]), seconds_now=lambda: now)
    assert not spending.is_over
    now += 29 * 60
    assert not spending.is_over
    now += 60
    assert spending.is_over


def test_without_a_budget_nothing_is_ever_spent() -> None:
    assert not Spending(None, ledger_of_fits([1000.0])).is_over
