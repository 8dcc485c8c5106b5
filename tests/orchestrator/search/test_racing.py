"""A trial that cannot win any more is raced out: when, what is not run then, and what the sampler is told of it."""

from pathlib import Path

import numpy as np
import pytest

from orchestrator.history.records import End, FitKey, State
from orchestrator.search.racing import cannot_win
from orchestrator.search.search import Search
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

RACE = {"race": True, "seeds": 4, "folds": 1}
GRID = {"sampler": "grid", "trials": None, **RACE}


def scored(search: Search, scores: list[float], *, left: int = 0) -> None:
    """Run the next fits, all but `left` of them to their end."""
    started = []
    for _ in scores:
        key, _fit = search.next_fit() or (None, None)
        assert key is not None
        started.append(key)
    for key, score in list(zip(started, scores, strict=True))[: len(scores) - left]:
        search.reported(key, 1, {"score": score}, None)
        search.returned(key)


def test_a_trial_that_is_surely_behind_is_told_pruned_before_all_of_its_fits_ran(tmp_path: Path) -> None:
    search = open_search(toy_spec(space={"x": {"choice": [0.3, -0.9]}}, **GRID), tmp_path / "run")
    scored(search, [0.90, 0.80, 0.85, 0.95])
    scored(search, [0.50, 0.41])
    search.close()
    trial = search.ledger.trials[1]
    assert (State.PRUNED, None) == (trial.state, trial.value)
    assert search.is_finished
    assert 0 == search.fits_left


@pytest.mark.parametrize("scores", [[0.85, 0.84], [0.20, 0.99], [0.95, 0.80]])
def test_a_trial_that_may_still_win_goes_on(tmp_path: Path, scores: list[float]) -> None:
    search = open_search(toy_spec(space={"x": {"choice": [0.3, -0.9]}}, **GRID), tmp_path / "run")
    scored(search, [0.90, 0.80, 0.85, 0.95])
    scored(search, scores)
    search.close()
    assert State.RUNNING is search.ledger.trials[1].state


def test_the_default_is_never_raced_out(tmp_path: Path) -> None:
    spec = toy_spec(trials=3, startup="random", **{**RACE, "baseline": True})
    search = open_search(spec, tmp_path / "run")
    first = [search.next_fit() for _ in range(4)]
    scored(search, [0.9, 0.8, 0.85, 0.95])
    for following in first[:3]:
        assert following is not None
        search.reported(following[0], 1, {"score": 0.1}, None)
        search.returned(following[0])
    search.close()
    assert State.COMPLETE is search.ledger.trials[1].state
    assert State.RUNNING is search.ledger.trials[0].state


def test_fits_in_flight_of_a_trial_that_was_raced_out_stop_at_their_next_step_and_a_dead_drivers_are_closed(
    tmp_path: Path,
) -> None:
    spec = toy_spec(space={"x": {"choice": [0.3, -0.9]}}, **GRID)
    search = open_search(spec, tmp_path / "run")
    scored(search, [0.90, 0.80, 0.85, 0.95])
    scored(search, [0.50, 0.41, 0, 0], left=2)
    assert State.PRUNED is search.ledger.trials[1].state
    third = FitKey(1, 2, 0)
    assert search.reported(third, 1, {"score": 0.5}, None)
    search.returned(third)
    assert (State.INCOMPLETE, None) == (search.ledger.fit(third).state, search.ledger.fit(third).error)
    search.close()
    again = open_search(spec, tmp_path / "run")  # the fourth was in flight
    again.close()
    assert State.INCOMPLETE is again.ledger.fit(FitKey(1, 3, 0)).state


def test_killed_between_the_end_of_a_fit_and_the_verdict_the_trial_is_raced_out_as_it_would_have_been(
    tmp_path: Path,
) -> None:
    spec = toy_spec(space={"x": {"choice": [0.3, -0.9]}}, **GRID)
    search = open_search(spec, tmp_path / "run")
    scored(search, [0.90, 0.80, 0.85, 0.95])
    scored(search, [0.50, 0.41])
    search.close()
    lines = search.folder.journal.read_bytes().splitlines(keepends=True)
    search.folder.journal.write_bytes(b"".join(lines[:-1]))
    assert isinstance(search.journal.entries[-2][0], End)
    again = open_search(spec, tmp_path / "run")
    again.close()
    assert State.PRUNED is again.ledger.trials[1].state


def test_a_sampler_goes_on_from_what_raced_out_trials_came_to(tmp_path: Path) -> None:
    """Told nothing of them, it would not learn from half of its trials."""
    spec = toy_spec(trials=16, startup_trials=4, **RACE)
    search = run_in_process(open_search(spec, tmp_path / "run"))
    pruned = [trial for trial in search.ledger.told() if trial.state is State.PRUNED]
    assert len(pruned) > 4
    assert all(2 == len(search.ledger.scores(trial)) for trial in pruned), "the toy's noise is the same for all"
    assert not [path for trial in pruned for path in search.folder.trial(trial.number).glob("*/checkpoint-*")]
    late = [float(trial.config["x"] or 0) for trial in search.ledger.told()[8:]]
    assert abs(np.mean(late) - 0.3) < 0.3


@pytest.mark.parametrize(("worse", "least_saved"), [(0.0, 0.1), (0.02, 0.5)])
def test_hardly_a_trial_is_raced_out_that_would_have_won_and_many_fits_are_saved(
    worse: float, least_saved: float
) -> None:
    """Against the luckiest of ten equal ones, noise .01 a fit, five fits; of equals about a tenth would win."""
    draw = np.random.default_rng(0)
    saved = won = lost = 0
    for _ in range(400):
        complete = draw.normal(0, 0.01, (10, 5))
        best = complete[complete.mean(axis=1).argmax()]
        others = [list(best - row) for row in complete if row is not best]
        fits = draw.normal(-worse, 0.01, 5)
        won += fits.mean() > best.mean()
        out = [
            fits_run for fits_run in (2, 3, 4) if cannot_win(list((best - fits)[:fits_run]), others, confidence=0.95)
        ]
        if out:
            saved += 5 - out[0]
            lost += fits.mean() > best.mean()
    assert saved > least_saved * 400 * 5
    assert lost <= 0.05 * won
    assert worse or won > 20
