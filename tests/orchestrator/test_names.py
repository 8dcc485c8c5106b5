"""Names become folders: whatever could lead elsewhere, or meet what lies there, is refused before anything is made."""

from pathlib import Path

import pytest

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def refused(*words: object, runs: Path) -> str:
    done = orchestrate_here(*words, "--runs", runs)
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert not runs.exists()
    return done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "/abs",
        "..",
        ".",
        "",
        "a/b",
        "a\nb",
        "a b",
        "-x",
        ".hidden",
        "é",
        "a\0b",
        "x" * 101,
        "mlflow",
        "MLflow",
        "mlflow.db.lock",
    ],
)
@pytest.mark.parametrize("command", ["search", "run", "audit", "submit"])
def test_the_name_of_a_new_run_is_one_plain_word(tmp_path: Path, name: str, command: str) -> None:
    search = written(tmp_path / "s.yaml", toy_search())
    experiment = written(tmp_path / "e.yaml", {"stages": {"a": {"search": "s.yaml"}}, "final": {"stages": ["a"]}})
    profile = written(
        tmp_path / "p.yaml",
        'partition: cpu\ntime: "1:00:00"\ncpus: 1\nmemory: 1G\nworkers: {max: 1}\ndriver: {time: "1:00:00"}\n',
    )
    words = {
        "search": ["--space", search],
        "run": [experiment],
        "audit": [search],
        "submit": [search, "--cluster", profile],
    }[command]
    said = refused(command, *words, f"--name={name}", runs=tmp_path / "runs")
    assert said.startswith("--name must ")
    assert f"got {name!r}" in said


def test_a_file_whose_name_is_no_name_of_a_run_needs_one(tmp_path: Path) -> None:
    search = written(tmp_path / "my search.yaml", toy_search())
    said = refused("search", "--space", search, runs=tmp_path / "runs")
    assert said.startswith("the run would be named like its file, and a name must be one plain word")
    assert said.endswith("got 'my search'; choose one with --name\n")


def test_a_run_that_an_earlier_version_named_like_such_a_file_goes_on(tmp_path: Path) -> None:
    search = written(tmp_path / "s.yaml", toy_search())
    assert 0 == orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs").returncode
    (tmp_path / "runs" / "s").rename(tmp_path / "runs" / "my search")
    search.rename(tmp_path / "my search.yaml")
    done = orchestrate_here("search", "--space", tmp_path / "my search.yaml", "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize(
    "name", ["..", "/abs", "a/b", "a b", "a.b", "-a", "final", "Final", "final-2", "trials", "cluster"]
)
def test_a_stage_is_called_by_one_plain_word_that_no_run_uses_itself(tmp_path: Path, name: str) -> None:
    written(tmp_path / "s.yaml", toy_search())
    stages = {"first": {"search": "s.yaml"}, name: {"search": "s.yaml"}}
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["first"]}})
    said = refused("run", experiment, runs=tmp_path / "runs")
    assert said.startswith(f"{tmp_path}/e.yaml:4: stages: a stage's name must ")
    assert f"got {name!r}" in said


def test_stages_that_differ_in_case_only_and_a_final_of_one_stage_twice_are_refused_together(tmp_path: Path) -> None:
    written(tmp_path / "s.yaml", toy_search())
    stages = {"head": {"search": "s.yaml"}, "Head": {"search": "s.yaml"}}
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["head", "head"]}})
    done = orchestrate_here("plan", experiment)
    assert 2 == done.returncode
    assert [f"{tmp_path}/e.yaml:{line}: stages" for line in (4, 9)] == [
        line.rpartition(": ")[0] for line in done.stderr.splitlines()
    ]
    assert "got head and Head" in done.stderr
    assert "must name a stage once, got 'head' again" in done.stderr
