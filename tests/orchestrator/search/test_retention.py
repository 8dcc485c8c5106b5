"""Whose weights stay on disk, trial by trial; and that a search of many trials takes no longer over each."""

import shutil
import sys
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from orchestrator.history.records import FitKey
from orchestrator.search.retention import kept_trials
from orchestrator.search.search import Search
from tests.orchestrator.in_process import open_search, toy_spec


def run_one(search: Search, *, score: float, size: float) -> FitKey | None:
    """Run the next fit to a step with this score, of a network with so many weights."""
    following = search.next_fit()
    if following is None:
        return None
    key, fit = following
    fit.directory.mkdir(parents=True)
    (fit.directory / "c").write_text("weights")
    search.reported(key, 1, {"score": score, "parameters": size}, "c")
    search.returned(key)
    return key


def there(run: Path) -> set[int]:
    return {int(path.name) for path in (run / "trials").iterdir()}


@pytest.mark.parametrize("mode", ["max", "min"])
def test_after_each_trial_the_best_five_the_best_of_each_size_and_the_default_are_there(
    tmp_path: Path, mode: str
) -> None:
    spec = toy_spec(trials=60, sampler="random", mode=mode, baseline=True, max_steps=1)
    search, random = open_search(spec, tmp_path / "run"), np.random.default_rng(1)
    for number in range(60):
        if number % 20 == 19:
            search.close()
            search = open_search(spec, tmp_path / "run")
        run_one(search, score=float(random.integers(20)), size=float(random.integers(8)))
        kept = {trial.number for trial in kept_trials(search.ledger)}
        assert kept == there(tmp_path / "run")
        assert 0 in kept
    search.close()
    assert 5 < len(kept) <= 5 + 8 + 1


def test_a_loser_that_a_dead_driver_left_is_deleted_when_the_search_goes_on(tmp_path: Path) -> None:
    spec = toy_spec(trials=20, sampler="random", max_steps=1)
    search = open_search(spec, tmp_path / "run")
    for number in range(8):
        run_one(search, score=float(number), size=1.0)
    search.close()
    left = search.folder.trial(0)
    assert not left.exists()
    left.mkdir()
    open_search(spec, tmp_path / "run").close()
    assert set(range(3, 8)) == there(tmp_path / "run")


def test_a_trial_takes_as_much_work_at_the_end_of_a_long_search_as_at_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work is counted in calls, of C functions, too, and in folders removed: clocks say little on a busy machine."""
    removed, calls = 0, 0
    remove = shutil.rmtree

    def counted(path: Path, *, ignore_errors: bool) -> None:
        nonlocal removed
        removed += 1
        remove(path, ignore_errors=ignore_errors)

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    monkeypatch.setattr(shutil, "rmtree", counted)
    search = open_search(toy_spec(trials=400, sampler="random", max_steps=1), tmp_path / "run")
    work = []
    for number in range(400):
        before = calls
        sys.setprofile(count)
        run_one(search, score=float(number * 7919 % 400), size=1.0)
        sys.setprofile(None)
        work.append(calls - before)
    search.close()
    assert removed <= 400
    assert sum(work[-40:]) < 1.2 * sum(work[40:80])
