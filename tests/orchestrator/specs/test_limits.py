"""Numbers that nobody means are refused by `plan`, with rule and value, at once and before anything hangs."""

import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.specs.specs import SearchSpec, from_data
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def refused(file: Path) -> list[str]:
    begun = time.monotonic()
    done = orchestrate_here("plan", file)
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert time.monotonic() - begun < 5  # under any load; alone it is milliseconds
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_steps": 10**12}, "max_steps: must be at most 1000000, got 1000000000000"),
        ({"trials": 10**12}, "trials: must be at most 1000000, got 1000000000000"),
        ({"seed": 2**32}, "seed: must be at most 4294967295, got 4294967296"),
        ({"seeds": 10**6}, "seeds: must be at most 1000, got 1000000"),
        ({"concurrency": 10**12}, "concurrency: must be at most 1024, got 1000000000000"),
        ({"cpus_per_fit": 10**12}, "cpus_per_fit: must be at most 1024, got 1000000000000"),
        ({"budget": {"minutes": 1e300}}, "budget.minutes: must be at most 5256000, got 1e+300"),
        (
            {"space": {"x": {"uniform": [-1e300, 1]}}, "sampler": "random", "trials": 1},
            "bounds must lie between -1e+100",
        ),
        (
            {"space": {"x": {"uniform": [0, 1], "step": 1e-9}}},
            "a range with steps has at most 1000000 values, got 10000",
        ),
        ({"space": {"x": {"uniform": [0, 1], "step": 1e-300}}}, "a range with steps has at most 1000000 values"),
        (
            {"space": {"layers": {"integer": [1, 2**62]}}},
            "layers: a range with steps has at most 1000000 values, got 10000",
        ),
        (
            {"space": {name: {"uniform": [0, 1], "step": 1 / 255} for name in "xyz"}},
            "space: a grid has at most 100000 configurations, got 16777216 or more; draw at random",
        ),
        (
            {"space": {name: {"grid": [n / 40 for n in range(40)]} for name in "xy"}, "sampler": "tpe", "trials": 9},
            "the values of all `grid` entries make at most 1000 studies, got 1600",
        ),
    ],
)
def test_a_number_that_nobody_means_is_refused_by_plan(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    said = refused(written(tmp_path / "s.yaml", toy_search(**changes)))
    assert any(message in line for line in said), said
    assert all(line.startswith(f"{tmp_path}/s.yaml:") for line in said)


def test_a_grid_that_conditions_make_small_is_none_too_large(tmp_path: Path) -> None:
    """Without its conditions it would have 2 million configurations."""
    values = [n / 1000 for n in range(1000)]
    space = {
        "kind": {"choice": ["plain", "bent"]},
        "x": {"choice": values, "when": {"kind": "plain"}},
        "y": {"choice": values, "when": {"kind": "bent"}},
    }
    done = orchestrate_here("plan", written(tmp_path / "s.yaml", toy_search(space=space)))
    assert 0 == done.returncode, done.stderr
    assert "2000 configurations" in done.stdout


def test_numbers_of_stages_and_final_are_limited_too(tmp_path: Path) -> None:
    written(tmp_path / "s.yaml", toy_search())
    stages = {"a": {"search": "s.yaml"}, "b": {"refine": "a", "points": 10**9 + 1, "trials": 10**9}}
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["a"], "seeds": 10**9}})
    assert ["points: must be at most 99", "trials: must be at most 1000000", "seeds: must be at most 1000"] == [
        line.partition(": ")[2].partition(",")[0] for line in refused(experiment)
    ]


def test_what_a_journal_holds_is_no_question_of_limits() -> None:
    large: dict[str, Any] = {**toy_search(), "seed": 10**20, "max_steps": 10**9, "concurrency": 10**6}
    large["space"] = {"x": {"choice": [0.1, 0.1]}}
    assert isinstance(from_data(large), SearchSpec)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"prune": {"successive_halving": {"min_steps": 4}}},
            "successive_halving.min_steps: must be at most max_steps",
        ),
        ({"prune": {"median": {"warmup_steps": 3}}}, "prune.median.warmup_steps: must be below max_steps, 3, got 3"),
        ({"trials": 5, "startup_trials": 6}, "startup_trials: must be at most trials, 5, got 6"),
        (
            {"trials": 5, "prune": {"median": {"startup_trials": 6}}},
            "prune.median.startup_trials: must be at most trials",
        ),
        ({"space": {"x": {"choice": [0.1, 0.3, 0.1]}}}, "x: a value may be given once, got 0.1 again"),
        ({"space": {"layers": {"choice": [1, 1.0]}}}, "layers: a value may be given once, got 1.0 again"),
        (
            {
                "space": {
                    "kind": {"choice": ["plain", "bent"]},
                    "x": {"choice": [1], "when": {"kind": ["bent", "bent"]}},
                }
            },
            "x: a value may be given once, got 'bent' again",
        ),
        ({"enqueue": [{"x": 0.1}, {"x": 0.1}]}, "enqueue: a configuration may be given once, got {'x': 0.1} again"),
        (
            {"task": {"name": "tests.orchestrator.specs.test_limits:SayingTask"}, "metric": "socre"},
            "did you mean score?",
        ),
        ({"task": {"name": "tests.orchestrator.specs.test_limits:SayingTask"}, "metric": "x"}, "known are loss, score"),
    ],
)
def test_what_contradicts_itself_is_refused_by_plan(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    said = refused(written(tmp_path / "s.yaml", toy_search(**changes)))
    assert [True] == [message in line for line in said], said


def test_startup_trials_that_nobody_gave_are_no_mistake(tmp_path: Path) -> None:
    """Their default is 10, and a search of three trials is one."""
    done = orchestrate_here("plan", written(tmp_path / "s.yaml", toy_search(trials=3, sampler="tpe")))
    assert 0 == done.returncode, done.stderr


def test_mistakes_of_every_kind_are_told_in_one_answer(tmp_path: Path) -> None:
    """Of YAML, of keys, of kinds, of numbers, of contradictions, of the task: nobody mends a file in three rounds."""
    text = """\
task: {name: "tests.orchestrator.specs.test_limits:SayingTask"}
metric: socre
max_steps: 3
max_steps: 4
sampler: random
trails: 4
trials: 5
seeds: 5000
race: yes
concurrency: two
prune: {hyperband: {min_steps: 9}}
space:
  x: {uniform: [5, 1]}
  y: {uniform: [0, 7]}
  z: 1
  kind: {choice: [plain, plain]}
  turns: {integer: [1, 2], when: {x: 1}}
"""
    said = refused(written(tmp_path / "s.yaml", text))
    assert [2, 4, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17] == sorted(
        {int(line.removeprefix(f"{tmp_path}/s.yaml:").partition(":")[0]) for line in said}
    ), said


def test_what_follows_from_a_mistake_is_not_told_as_another(tmp_path: Path) -> None:
    space = {"kind": {"chioce": ["plain", "bent"]}, "turns": {"integer": [1, 2], "when": {"kind": "bent"}}}
    (said,) = refused(written(tmp_path / "s.yaml", toy_search(space=space)))
    assert "must be one value, or a mapping with one of choice" in said


def test_mistakes_of_an_experiment_and_between_its_stages_are_told_with_those_of_its_files(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml", toy_search(cpus_per_fit=2))
    written(tmp_path / "b.yaml", toy_search(seeds=5000))
    stages = {"a": {"search": "a.yaml"}, "b": {"search": "b.yaml"}, "c": {"serach": "b.yaml"}}
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["a", "b", "d"], "sedes": 1}})
    said = "\n".join(refused(experiment))
    for message in (
        "c.serach: unknown key",
        "final.sedes: unknown key",
        "seeds: must be at most 1000",
        "cpus_per_fit of",
    ):
        assert message in said


class SayingTask:
    """A task that can say what it reports; whatever else it can is the toy's."""

    def __new__(cls) -> Any:
        from tests.toy_task import ToyTask

        class Saying(ToyTask):
            def reports(self) -> tuple[str, ...]:
                return ("score", "loss")

        return Saying()
