"""What a command says at its end of the fits that failed."""

import json
from pathlib import Path

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

KINDS = ["plain", "raises", "diverges", "silent", "raises", "bent"]


def searched(folder: Path, *words: str, **changes: object) -> str:
    space = {"x": {"choice": [0.1, 0.2]}, "kind": {"choice": list(dict.fromkeys(KINDS))}}
    search = written(folder / "s.yaml", toy_search(space=space, **changes))
    done = orchestrate_here("search", "--space", search, "--runs", folder / "runs", *words)
    assert 0 == done.returncode
    return done.stdout


def test_each_class_of_failures_is_one_line_and_what_the_task_raised_one_traceback(tmp_path: Path) -> None:
    lines = searched(tmp_path).splitlines()
    (code,) = (number for number, line in enumerate(lines) if line.startswith("code: "))
    assert lines[code].startswith("code: 4 fits of trials 1, 3, 6, 8 failed: ValueError: this kind cannot be trained")
    assert f"  {tmp_path}/runs/s/trials/1/seed0-fold0/error.txt:" == lines[code + 1]
    assert "  | Traceback (most recent call last):" == lines[code + 2]
    assert "  | ValueError: this kind cannot be trained" in lines
    assert 1 == sum("Traceback" in line for line in lines)
    assert "diverged: 2 fits of trials 2, 7 failed: diverged: score is nan at step 2" in lines


def test_where_all_went_well_nothing_is_said(tmp_path: Path) -> None:
    search = written(tmp_path / "s.yaml", toy_search())
    said = orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs").stdout
    assert "failed" not in said
    assert "code:" not in said


def test_a_program_can_read_the_classes(tmp_path: Path) -> None:
    (status,) = json.loads(searched(tmp_path, "--json"))
    assert {"code": 4, "diverged": 2} == status["failures"]


def test_fits_that_were_lost_and_begun_again_are_counted(tmp_path: Path) -> None:
    task = {"name": "tests.orchestrator.execution.tasks:NeedsRoom", "with": {"folds": 1}}
    search = written(tmp_path / "s.yaml", toy_search(task=task, on_out_of_memory="halve_batch"))
    said = orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs").stdout
    line = next(line for line in said.splitlines() if line.startswith("out of GPU memory: "))
    assert line.startswith("out of GPU memory: 1 fit of trial 1 failed: out of GPU memory, also with half its batch: ")
    assert line.endswith("; 2 fits begun again")
