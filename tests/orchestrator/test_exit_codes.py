"""Whose fault it is: exit code 2 without a traceback for what a check refuses, 1 with one for a bug."""

from pathlib import Path

import pytest

from ecgcore.mistakes import Mistake
from orchestrator import cli
from orchestrator.errors import UserError, is_users_mistake
from orchestrator.history import run_contents
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

TASKS = """
import numpy as np
from tests.toy_task import ToyTask

class Refusal(ValueError):
    is_users_mistake = True

class Refusing(ToyTask):
    def test(self, checkpoints, directory, calibrate_from=()):
        raise Refusal("labels.csv: must have a test part")

class Buggy(ToyTask):
    def test(self, checkpoints, directory, calibrate_from=()):
        return {"score": np.zeros(2) + np.zeros(3)}
"""


def test_a_mistake_is_known_by_its_mark_whichever_package_raised_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert is_users_mistake(UserError("rule, value"))
    assert is_users_mistake(Mistake("rule, value"))
    assert not is_users_mistake(ValueError("operands could not be broadcast together"))
    assert 2 == cli.main(["data", "check", "/nowhere"])
    said = capsys.readouterr().err
    assert "/nowhere" in said
    assert "Traceback" not in said


def test_a_value_error_of_a_bug_is_no_mistake_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(_root: Path) -> list[object]:
        return [int("a bug")]

    monkeypatch.setattr(run_contents, "all_runs", buggy)
    with pytest.raises(ValueError, match="invalid literal for int"):  # which Python answers with traceback and code 1
        cli.main(["status", "--runs", str(tmp_path)])


@pytest.mark.parametrize(("task", "code"), [("Refusing", 2), ("Buggy", 1)])
def test_what_a_test_refuses_is_the_users_and_what_breaks_in_it_is_a_bugs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, code: int
) -> None:
    written(tmp_path / "two_tasks.py", TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    space = toy_search(folds=1, space={"x": 0.3}, task={"name": f"two_tasks:{task}", "with": {}})
    search, runs = written(tmp_path / "s.yaml", space), tmp_path / "runs"
    assert 0 == orchestrate_here("search", "--space", search, "--runs", runs).returncode

    done = orchestrate_here("retrain", "s", "--seeds", 1, "--runs", runs)

    assert code == done.returncode, done.stderr
    assert (code == 1) == ("Traceback" in done.stderr)
    assert ("must have a test part" if code == 2 else "could not be broadcast") in done.stderr


def test_a_damaged_file_of_a_run_is_named(tmp_path: Path) -> None:
    search, runs = written(tmp_path / "s.yaml", toy_search(folds=1, space={"x": 0.3})), tmp_path / "runs"
    for run in ("one", "two"):
        assert 0 == orchestrate_here("search", "--space", search, "--runs", runs, "--name", run).returncode
    (runs / "one" / "provenance.json").write_text("{half")
    done = orchestrate("consolidate", "one", "two", "--runs", runs)
    assert 1 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{runs}/one/provenance.json: damaged (")
