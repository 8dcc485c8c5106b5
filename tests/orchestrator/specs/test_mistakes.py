"""Every mistake of a user: exit code 2 (1 for failures), place, rule, value, way out, no traceback, nothing left."""

from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def refused(space: Path, runs: Path) -> str:
    done = orchestrate_here("search", "--space", space, "--runs", runs)
    assert 2 == done.returncode, done.stdout + done.stderr
    assert "" == done.stdout
    assert "Traceback" not in done.stderr
    assert not runs.exists()
    return done.stderr


def test_all_mistakes_of_a_file_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = """\
task: {name: "tests.toy_task:ToyTask", with: {step_z: 0}}
metric: score
max_step: 3
max_steps: two
sampler: grid
trials: 1e-4
space:
  x: {uniform: [3, 1], step: 0.5}
  y: {normal: [0, 1]}
"""
    lines = refused(written(tmp_path / "s.yaml", text), tmp_path / "runs").splitlines()
    assert [f"{tmp_path}/s.yaml:{n}" for n in (1, 3, 4, 6, 8, 9)] == sorted(line.split(": ")[0] for line in lines)
    everything = "\n".join(lines)
    assert "with: step_z is not an argument of tests.toy_task:ToyTask; did you mean step_s?" in everything
    assert "max_step: unknown key; did you mean max_steps?" in everything
    assert "max_steps: must be a valid integer, got 'two'" in everything
    assert "trials: must be a valid integer, got 0.0001" in everything
    assert "the range must be [low, high] with low < high, got [3, 1]" in everything
    assert "must be one value, or a mapping with one of choice, grid, uniform, log_uniform, integer" in everything


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": {"learnign_rate": 1}}, "learnign_rate: is not a hyperparameter of this task; known are kind"),
        ({"space": {"layer": {"integer": [1, 3]}}}, "did you mean layers?"),
        ({"space": {"x": {"uniform": [-5, 1], "step": 1}}}, "x: must lie between -2 and 2, got -5.0"),
        ({"space": {"x": {"log_uniform": [0.1, 1]}}}, "a grid needs finitely many values"),
        ({"sampler": "tpe"}, "trials: is required unless the sampler is grid"),
        ({"sampler": "gird"}, "sampler: must be 'grid', 'random', 'tpe' or 'gp', got 'gird'"),
        ({"folds": 9}, "folds: must be at most 2, which the data has, got 9"),
        ({"task": {"name": "tests.toy_task:TobTask"}}, "has no class TobTask; did you mean ToyTask?"),
        ({"task": {"name": "tests.no_task:ToyTask"}}, "cannot be imported"),
        ({"task": {"name": "tests.toy_task:ToyTask", "with": {"step": 1}}}, "step is not an argument of"),
        ({"task": {"name": "tests.toy_task:ToyTask", "with": {"data": "no/such"}}}, "no/such: no such folder; make"),
        ({"space": {"x": {"choice": [1], "when": {"z": 2}}}}, "its condition names z, which is not in this space"),
        ({"space": {"x": {"choice": [0.1, 0.3], "prior": 0.2}}}, "prior must be a value that can be drawn, got 0.2"),
        ({"space": {"max_steps": {"uniform": [1, 4], "step": 1}}}, "max_steps: must be whole numbers; give integer or"),
        ({"space": {"max_steps": {"choice": [0, 4]}}}, "max_steps: must lie between 1 and 1000000, got 0"),
        ({"prune": {"medain": {}}}, "prune.medain: unknown key; did you mean median?"),
        ({"enqueue": [{"z": 1}]}, "enqueue: z: is not in this space"),
        (
            {"enqueue": [{"x": 0.1}, {"x": 0.2}]},
            "enqueue: x: must be a value that can be drawn from [0.1, 0.3], got 0.2",
        ),
        ({"space": {"x": 0.1, "y": {"choice": [0]}}, "enqueue": [{"x": 0.1}]}, "enqueue: x: is fixed at 0.1 in this"),
        (
            {
                "space": {
                    "kind": {"choice": ["bent", "plain"]},
                    "turns": {"integer": [1, 2], "when": {"kind": "bent"}},
                },
                "enqueue": [{"turns": 2}],
            },
            "enqueue: turns: counts only when {'kind': 'bent'}; give these values, too",
        ),
        ({"prune": {}}, "prune: must say one of successive_halving, hyperband and median"),
        ({"prune": {"hyperband": {"min_steps": 4}}}, "prune.hyperband.min_steps: must be at most max_steps, 3, got 4"),
        ({"tpe": {"multivariate": False}}, "tpe: group needs multivariate; give group: false, too"),
        ({"race": {"confidence": 2}}, "race.confidence: must be less than 1, got 2"),
    ],
)
def test_a_mistake_names_the_rule_the_value_and_the_way_out(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    said = refused(written(tmp_path / "s.yaml", toy_search(**changes)), tmp_path / "runs")
    assert message in said
    assert all(line.startswith(f"{tmp_path}/s.yaml:") for line in said.splitlines())


def test_a_value_that_the_task_cannot_use_is_told_with_its_line_and_the_other_mistakes(tmp_path: Path) -> None:
    """What may be of the refused value is not called unknown; the rest is checked all the same."""
    space = {"kind": {"choice": ["plain", "own:lost"]}, "depth": 3, "x": 7}
    said = refused(written(tmp_path / "s.yaml", toy_search(space=space)), tmp_path / "runs").splitlines()
    assert ["kind: own:lost: is not there; write it", "x: must lie between -2 and 2, got 7"] == [
        line.partition(": ")[2] for line in said
    ]


@pytest.mark.slow
def test_a_value_of_ones_own_brings_its_hyperparameters_to_plan_search_and_final(tmp_path: Path) -> None:
    """The toy task's fit fails where a kind of one's own comes without its `turns`."""
    runs = ("--runs", tmp_path / "runs")
    space = written(tmp_path / "s.yaml", toy_search(space={"kind": "own:mine", "x": {"choice": [0.1, 0.3]}}))
    for words in (("plan", space), ("search", "--space", space, "--name", "own", *runs), ("retrain", "own", *runs)):
        done = orchestrate(*words)
        assert 0 == done.returncode, done.stdout + done.stderr
    assert "complete" in (tmp_path / "runs" / "own" / "table.csv").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("metric: no\n", "s.yaml:1: `no` is read as a truth value"),
        ("metric: a\nmetric: b\n", "s.yaml:2: metric: the key is given twice (first in line 1)"),
    ],
)
def test_what_yaml_would_swallow_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(written(tmp_path / "s.yaml", text), tmp_path / "runs")


def test_a_missing_file_and_a_missing_run_are_named_with_what_there_is(tmp_path: Path) -> None:
    assert "none.yaml: cannot be read (No such file or directory)" in refused(tmp_path / "none.yaml", tmp_path / "runs")
    for command in ("status", "resume", "consolidate", "retrain"):
        done = orchestrate(command, "nothing", "--runs", tmp_path)
        assert (2, f"nothing: no such run in {tmp_path}; there are: none yet\n") == (done.returncode, done.stderr)


def test_an_experiment_names_the_mistakes_of_all_its_files(tmp_path: Path) -> None:
    written(tmp_path / "head.yaml", toy_search(metrik="score"))
    written(tmp_path / "full.yaml", toy_search(space={"xx": 1}))
    stages = {
        "full": {"search": "full.yaml", "start_from": "head"},
        "head": {"search": "head.yaml"},
        "other": {"search": "none.yaml"},
    }
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["ful"], "seeds": 3}})
    done = orchestrate_here("run", experiment, "--runs", tmp_path / "runs")
    assert 2 == done.returncode
    for said in (
        f"{tmp_path}/e.yaml:4: start_from: must name a stage above this one (there is none), got 'head'",
        "xx: is not a hyperparameter of this task",
        "metrik: unknown key; did you mean metric?",
        "none.yaml: cannot be read",
        "stages: must name stages of this experiment, got 'ful'",
    ):
        assert said in done.stderr
    assert not (tmp_path / "runs").exists()


def test_folds_that_the_earlier_stage_did_not_search_are_refused_since_its_weights_would_have_seen_them(
    tmp_path: Path,
) -> None:
    written(tmp_path / "head.yaml", toy_search(folds=1))
    written(tmp_path / "full.yaml", toy_search(folds=2))
    stages = {"head": {"search": "head.yaml"}, "full": {"search": "full.yaml", "start_from": "head"}}
    experiment = written(tmp_path / "e.yaml", {"stages": stages, "final": {"stages": ["full"]}})
    done = orchestrate_here("plan", experiment)
    assert 2 == done.returncode
    assert "its weights would have seen their validation records; give both the same folds" in done.stderr


@pytest.mark.slow
def test_a_misnamed_metric_is_the_users_mistake_although_only_the_first_step_shows_it(tmp_path: Path) -> None:
    space = written(tmp_path / "s.yaml", toy_search(metric="socre"))
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs")
    assert 2 == done.returncode
    assert "metric: socre is not among what the task reports: loss, score; correct the spec\n" == done.stderr


@pytest.mark.slow
def test_a_search_whose_first_trials_all_fail_alike_ends_with_one_message_and_exit_code_1(tmp_path: Path) -> None:
    space = written(tmp_path / "s.yaml", toy_search(space={"kind": "raises", "x": {"choice": [0, 0.1, 0.2, 0.3]}}))
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs")
    assert 1 == done.returncode
    assert "the first 3 trials all failed alike" in done.stderr
    assert "ValueError: this kind cannot be trained (toy_task.py:" in done.stderr
    assert "Traceback" not in done.stderr
