"""What scores depended on: found though searches lie at different levels, and not said of too few trials."""

import itertools
from pathlib import Path
from typing import Any

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.importance import importance_of
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

SPACE: dict[str, Any] = {
    "x": {"uniform": [-1, 1]},
    "y": {"uniform": [-1, 1]},
    "kind": {"choice": ["a", "b"]},
    "momentum": {"uniform": [0, 0.9], "when": {"kind": "b"}},
}


def searched(folder: Path, *, trials: int, seed: int = 0) -> Ledger:
    space = {name: entry for name, entry in SPACE.items() if name == "x"}
    search = written(folder / f"toy-{seed}.yaml", toy_search(sampler="random", trials=trials, seed=seed, space=space))
    words = ("search", "--space", search, "--name", f"toy-{seed}", "--runs", folder, "--executor", "in-process")
    done = orchestrate_here(*words)
    assert 0 == done.returncode, done.stdout + done.stderr
    return read_ledger(RunFolder(folder / f"toy-{seed}"))


def with_scores(ledger: Ledger, *, level: float) -> Ledger:
    """The same search of a space of more hyperparameters, of which y alone matters."""
    assert ledger.spec is not None
    ledger.spec = type(ledger.spec).model_validate({**ledger.spec.model_dump(by_alias=True), "space": SPACE})
    values = itertools.cycle([-0.9, 0.3, 0.8, -0.2, 0.5])
    for number, trial in ledger.trials.items():
        y = next(values)
        kind = "ab"[number % 2]
        trial.config = {**trial.config, "y": y, "kind": kind, **({"momentum": 0.5} if kind == "b" else {})}
        trial.value = level + y
    return ledger


def test_what_alone_moves_the_score_has_nearly_all_of_it_though_searches_lie_at_different_levels(
    tmp_path: Path,
) -> None:
    searches = [with_scores(searched(tmp_path, trials=12, seed=seed), level=10.0 * seed) for seed in range(2)]
    found = importance_of(searches)
    assert ["x", "y", "kind"] == sorted(found, key=["x", "y", "kind"].index), "conditional ones are left out"
    assert "y" == next(iter(found))
    assert 0.9 < found["y"]


def test_of_fewer_than_ten_trials_nothing_is_said(tmp_path: Path) -> None:
    assert {} == importance_of([searched(tmp_path, trials=9)])
    assert {"x": 1.0} == importance_of([searched(tmp_path, trials=10, seed=1)])
    assert {} == importance_of([])


def test_a_choice_of_very_many_values_is_no_hindrance(tmp_path: Path) -> None:
    """Each of its values doubles what fANOVA does with them: of 48, a driver never came to its end."""
    space = {"x": {"choice": [round(number / 48, 3) for number in range(48)]}, "y": {"choice": [0.1, 0.9]}}
    search = written(tmp_path / "s.yaml", toy_search(sampler="random", trials=40, space=space, seeds=1, folds=1))
    done = orchestrate_here("search", "--space", search, "--runs", tmp_path, "--executor", "in-process")
    assert 0 == done.returncode, done.stdout + done.stderr
    found = importance_of([read_ledger(RunFolder(tmp_path / "s"))])
    assert {"x", "y"} == set(found)
    assert 1 == round(sum(found.values()), 6)
