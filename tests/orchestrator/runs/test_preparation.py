"""Data that a run lacks is made before anything is described; a plan says that it would be."""

import json
from pathlib import Path

import pytest

from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from tests.orchestrator.command import orchestrate, toy_search, written


def search(folder: Path, content: str = "first") -> Path:
    written(folder / "recipe.yaml", {"folds": 2, "content": content})
    task = {"name": "tests.toy_task:PreparableToyTask", "with": {"data": "recipe.yaml"}}
    return written(folder / "toy.yaml", toy_search(task=task))


def test_a_plan_prepares_nothing_and_says_what_would_be_prepared(tmp_path: Path) -> None:
    planned = orchestrate("plan", search(tmp_path))

    assert 0 == planned.returncode, planned.stderr
    assert f"will be prepared first: {tmp_path}/recipe.data from nothing (not there)" in planned.stdout
    assert "2 trials x 1 seeds x 2 folds = 4 fits" in planned.stdout
    assert not (tmp_path / "recipe.data").exists()


@pytest.mark.slow
def test_a_search_prepares_first_and_a_resume_on_other_data_is_refused(tmp_path: Path) -> None:
    runs = ("--runs", tmp_path / "runs")
    done = orchestrate("search", "--space", search(tmp_path), *runs)
    assert 0 == done.returncode, done.stderr
    assert 1 == done.stderr.count(f"writing {tmp_path}/recipe.data")
    spec = json.loads((tmp_path / "runs/toy/journal.jsonl").read_text().splitlines()[0])["spec"]
    assert ("first", str(tmp_path / "recipe.yaml")) == (spec["facts"]["data"], spec["task"]["with"]["data"])

    again = orchestrate("search", "--space", search(tmp_path), *runs)
    assert (0, "") == (again.returncode, again.stderr)

    other = orchestrate("search", "--space", search(tmp_path, "second"), *runs, "--json")
    assert 2 == other.returncode
    assert "writing" not in other.stderr  # with --json nothing is shown
    assert "second" == (tmp_path / "recipe.data").read_text()
    assert "data" in other.stderr
    assert 2 == len(read_ledger(RunFolder(tmp_path / "runs/toy")).trials)


def test_what_cannot_be_prepared_is_a_mistake_of_the_users_and_nothing_has_begun(tmp_path: Path) -> None:
    done = orchestrate("search", "--space", search(tmp_path, "impossible"), "--runs", tmp_path / "runs")

    assert (2, "") == (done.returncode, done.stdout)
    assert f"{tmp_path}/recipe.yaml: content: cannot be made" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()
