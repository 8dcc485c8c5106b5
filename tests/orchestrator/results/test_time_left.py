"""How long a search still takes, guessed from synthetic journals whose trials take what they are told to take."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, End, Reported, SearchBegun, Start, State, Tell
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.status import status_of
from orchestrator.results.time_left import TimeLeft, time_left, time_left_of
from orchestrator.specs.specs import as_data
from tests.orchestrator.in_process import open_search, toy_spec

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def ledger_of(ended: Sequence[float], *, at_once: int = 1, begun: float | None = None, **spec: Any) -> Ledger:
    """Trials of one fit each, so many side by side, that took these seconds; one more that has taken `begun`."""
    ledger = Ledger([(SearchBegun(spec=as_data(toy_spec(folds=1, **spec))), BEGAN)])
    free = [BEGAN] * at_once
    for number, seconds in enumerate([*ended, *([] if begun is None else [begun])]):
        since = free[number % at_once]
        free[number % at_once] = until = since + timedelta(seconds=seconds)
        fit: dict[str, Any] = {"trial": number, "seed": 0, "fold": 0}
        ledger.apply(Ask(trial=number, cell=0, config={"x": 0.0}, origin="sampler"), since)
        ledger.apply(Start(**fit, bundle=None, incarnation="one"), since)
        if number < len(ended):
            ledger.apply(End(**fit, state=State.COMPLETE, error=None), until)
            ledger.apply(Tell(trial=number, state=State.COMPLETE, value=0.5), until)
        else:
            report = {"step": 1, "metrics": {"score": 0.5}, "checkpoint": None, "decision": "continue"}
            ledger.apply(Reported(**fit, **report), until)
    return ledger


@pytest.mark.parametrize(("at_once", "left"), [(1, 600.0), (2, 300.0)])
def test_equal_trials_leave_no_doubt_and_those_side_by_side_are_counted_once(at_once: int, left: float) -> None:
    found = time_left_of(ledger_of([60.0] * 10, at_once=at_once, trials=20))
    assert found == TimeLeft(seconds=pytest.approx(left), low=pytest.approx(left), high=pytest.approx(left))


def test_of_a_trial_that_is_begun_only_the_rest_is_left() -> None:
    found = time_left_of(ledger_of([60.0] * 4, begun=45.0, trials=5))
    assert found is not None
    assert 15 == pytest.approx(found.seconds)


def test_a_trial_that_outlasts_all_others_is_expected_to_end() -> None:
    assert 0 == time_left([60.0, 60.0, 60.0], begun=[90.0], to_come=0, at_once=1).seconds  # type: ignore[union-attr]


def test_pruned_trials_make_those_to_come_shorter_and_less_certain() -> None:
    found = time_left_of(ledger_of([60.0, 10.0] * 5, trials=20))
    assert found is not None
    assert 350 == pytest.approx(found.seconds)
    assert 0 < found.low < 350 < found.high


@pytest.mark.parametrize(("ended", "known"), [(0, False), (2, False), (3, True)])
def test_of_fewer_than_three_trials_nothing_is_known(ended: int, known: bool) -> None:
    assert known == (time_left_of(ledger_of([60.0] * ended, trials=9)) is not None)


def test_no_more_fits_are_side_by_side_than_are_left() -> None:
    found = time_left_of(ledger_of([60.0] * 8, at_once=4, trials=9))
    assert found is not None
    assert 60 == pytest.approx(found.seconds)


def test_nineteen_of_twenty_intervals_hold_what_came() -> None:
    """Of trials a third of which is pruned early; a tenth of 2,000 such searches would be noticed."""
    random, held = np.random.default_rng(0), 0
    for _ in range(2000):
        took = random.uniform(50, 70, 30) * np.where(random.random(30) < 1 / 3, 0.2, 1.0)
        found = time_left(took[:10].tolist(), begun=[], to_come=20, at_once=1)
        assert found is not None
        held += found.low <= took[10:].sum() <= found.high
    assert 0.92 <= held / 2000 <= 0.98


def test_the_status_says_what_is_left_and_what_the_budget_leaves(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=4, budget={"minutes": 1, "gpu_hours": 2.5}), tmp_path / "run")
    search.next_fit()
    search.spending.each_fit_has(0.5, noted_in=search.folder)
    search.close()
    (status,) = status_of(RunFolder(tmp_path / "run"), driven=True)
    assert "time left not yet known" in status.line()
    assert " of 60 s; GPU-hours 0.00 of 2.5;" in status.line()
    told = status.as_data()
    assert (None, 0.0, 1, 2.5) == tuple(
        told[key] for key in ("time_left", "gpu_hours", "budget_minutes", "budget_gpu_hours")
    )
    assert TimeLeft(seconds=9, low=5, high=9) == TimeLeft(seconds=20, low=5, high=40).at_most(9)
