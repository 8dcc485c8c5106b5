"""Two runs side by side: fit by fit where the fits are the same ones, record by record, and what differs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    written(folder / "data", "a b\n")
    task = {"name": "tests.toy_task:TransferableToyTask", "with": {"data": str(folder / "data")}}
    for name, x, changes in (
        ("near", 0.3, {}),
        ("far", 0.1, {}),
        ("loss", 0.1, {"metric": "loss", "mode": "min", "seed": 3}),
    ):
        space = {"x": {"choice": [x]}}
        path = written(folder / f"{name}.yaml", toy_search(task=task, folds=2, seeds=2, space=space, **changes))
        does(folder / "runs", "search", "--space", path, "--name", name)
    for name in ("near", "far"):
        does(folder / "runs", "retrain", name, "--seeds", 1, "--reopen")
    return folder / "runs"


def does(runs: Path, *words: object) -> str:
    done = orchestrate_here(*words, "--runs", runs, MLFLOW_TRACKING_URI=f"sqlite:///{runs.parent}/mlflow.db")
    assert 0 == done.returncode, done.stderr
    return done.stdout


def compared(runs: Path, *names: str) -> list[dict[str, Any]]:
    return list(json.loads(does(runs, "compare", *names, "--json")))


def test_the_same_fits_are_paired_and_what_differs_is_listed(runs: Path) -> None:
    (told,) = compared(runs, "far", "near")
    assert 0.04 == pytest.approx(told["validation"]["mean"]), "(.3 - .1) squared, whatever the noise of seed and fold"
    assert [0.04, 0.04] == pytest.approx([told["validation"][end] for end in ("low", "high")])
    assert "2 seeds x 2 folds" == told["validation"]["over"]
    assert [{"what": "x", "one": 0.1, "other": 0.3}] == told["config"]
    assert 0.25 == told["test"]["scores"]["score"]["difference"]
    (space,) = [change for change in told["spec"] if change["what"] == "space.x"]
    assert ([0.1], [0.3]) == (space["one"]["choice"], space["other"]["choice"])


def test_each_is_compared_with_the_first_and_what_cannot_be_says_why(runs: Path) -> None:
    near, loss = compared(runs, "far", "near", "loss")
    assert "not" not in near["validation"]
    assert "another metric, score and loss; another seed, 0 and 3" == loss["validation"]["not"]
    assert "loss has no test" == loss["test"]["not"]
    assert "mean" not in loss["validation"]


def test_it_is_one_table_for_a_person(runs: Path) -> None:
    printed = does(runs, "compare", "far", "near", "loss")
    assert "+0.0400 [+0.0400, +0.0400]" in printed
    assert "test score, 8 records of 4 patients, 2 classes of both  0.5000" in printed
    assert "+0.2500 [+0.1250, +0.3750]" in printed
    assert "by test they cannot be compared: loss has no test" in printed
    assert re.search(r"^configuration x +0\.1 +0\.3$", printed, re.MULTILINE)
    assert re.search(r"^spec space\.x +choice \[0\.1\] +choice \[0\.3\]$", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("other", "told"), [("gone", "gone: no such run"), ("far", "far: a run is compared with others")]
)
def test_a_run_that_is_not_there_or_is_the_first_is_the_users_mistake(runs: Path, other: str, told: str) -> None:
    done = orchestrate_here("compare", "far", other, "--runs", runs)
    assert (2, "") == (done.returncode, done.stdout)
    assert told in done.stderr
