"""`try`: the fit that the search would begin with, on the terminal, with the task's own traceback and nothing kept."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import RaisedByTask, UserError
from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.first_fit import run_first_fit, set_up_and_step
from orchestrator.specs.reading import read_search
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.in_process import open_search, toy_spec

SPACE = {"x": {"uniform": [-1, 1]}, "y": {"uniform": [0, 1], "step": 0.25}}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def tried(tmp_path: Path, space: dict[str, Any], **options: Any) -> list[str]:
    said: list[str] = []
    given = {"changes": {}, "steps": None, "start_from": None, **options}
    spec = read_search(written(tmp_path / "toy.yaml", space))
    run_first_fit(spec, RunFolder(tmp_path / "runs" / "toy"), say=said.append, **given)
    return said


@pytest.mark.parametrize("sampler", [{"sampler": "tpe", "trials": 3}, {"sampler": "grid"}])
def test_it_is_the_first_fit_of_the_search_and_leaves_nothing(
    tmp_path: Path, temporary: Path, sampler: dict[str, Any]
) -> None:
    space = {"x": {"choice": [0.7, 0.3]}} if sampler["sampler"] == "grid" else SPACE
    said = tried(tmp_path, toy_search(**sampler, space=space, folds=2))
    assert not list(temporary.iterdir())
    assert not (tmp_path / "runs").exists()

    search = open_search(toy_spec(max_steps=3, folds=2, **{"trials": None, **sampler}, space=space), tmp_path / "run")
    InProcessExecutor().execute(search)
    search.close()
    first = search.ledger.trials[0]
    for name, value in first.config.items():
        assert f"  {name:<24} {value}" in said
    fit = next(iter(first.fits.values()))
    steps = [line for line in said if line.startswith("step ")]
    assert 3 == len(steps)
    for line, (step, row) in zip(steps, fit.metrics.items(), strict=True):
        assert re.fullmatch(rf"step {step}/3  \d+\.\d s  score {row['score']:.4g}  loss {row['loss']:.4g}", line)


def test_fewer_steps_are_the_first_steps_of_the_same_fit(tmp_path: Path, temporary: Path) -> None:
    whole = tried(tmp_path, toy_search(max_steps=3))
    part = tried(tmp_path, toy_search(max_steps=3), steps=2)

    def scores(said: list[str]) -> list[str]:
        return [line.split("  ", 2)[2] for line in said if line.startswith("step ")]

    assert scores(whole)[:2] == scores(part)
    assert "step 2/3" in part[-3]
    assert not list(temporary.iterdir())


def test_a_value_is_set_in_place_of_the_first_one_and_checked_like_one_of_the_file(tmp_path: Path) -> None:
    assert f"  {'x':<24} -1.5" in tried(tmp_path, toy_search(), changes={"x": -1.5})
    with pytest.raises(UserError) as caught:
        tried(tmp_path, toy_search(), changes={"x": 3, "lyers": 1}, start_from=tmp_path / "none")
    assert [
        "--set: x: must lie between -2 and 2, got 3",
        "--set: lyers: is not a hyperparameter of this task; did you mean layers?",
        f"--start-from: {tmp_path}/none: no such file; give a checkpoint, as they lie in RUN/trials/N/seed0-fold0",
    ] == str(caught.value).splitlines()


def test_it_starts_from_the_weights_given(tmp_path: Path) -> None:
    weights = written(tmp_path / "weights", "w")
    without, given = tried(tmp_path, toy_search()), tried(tmp_path, toy_search(), start_from=weights)
    assert f"  starts   from {weights}" in given
    gain = [float(re.findall(r"score ([\d.]+)", said[-3])[0]) for said in (given, without)]
    assert 0.1 == pytest.approx(gain[0] - gain[1], abs=1e-3)


def test_an_error_of_the_task_comes_out_as_it_is(tmp_path: Path, temporary: Path) -> None:
    with pytest.raises(RaisedByTask) as caught:
        tried(tmp_path, toy_search(space={"kind": "raises"}))
    assert isinstance(caught.value.error, ValueError)
    assert not list(temporary.iterdir())


def test_on_the_command_line_an_error_of_the_task_is_its_traceback_and_a_mistake_in_the_file_is_none(
    tmp_path: Path,
) -> None:
    done = orchestrate("try", written(tmp_path / "toy.yaml", toy_search(space={"kind": "raises"})))
    assert 1 == done.returncode
    assert 'raise ValueError("this kind cannot be trained")\nValueError: this kind cannot be trained\n' in done.stderr
    wrong = orchestrate("try", written(tmp_path / "toy.yaml", toy_search(space={"knid": "raises"})))
    assert (2, "") == (wrong.returncode, wrong.stdout)
    assert wrong.stderr.startswith(f"{tmp_path}/toy.yaml:")
    assert "Traceback" not in wrong.stderr


def test_a_debugger_stops_where_the_task_raised(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search(space={"kind": "raises"}))
    command = [sys.executable, "-m", "pdb", "-c", "continue", "-m", "orchestrator.cli", "try", str(space)]
    done = subprocess.run(command, input="p fit.config['kind']\nq\nq\n", capture_output=True, text=True, check=False)
    assert "(Pdb) 'raises'" in done.stdout


def test_an_experiment_has_no_first_fit(tmp_path: Path) -> None:
    path = written(tmp_path / "e.yaml", {"stages": {"a": {"search": "toy.yaml"}}, "final": {"stages": ["a"]}})
    done = orchestrate("try", path)
    assert (2, f"{path}: is an experiment; give the search space of one of its stages\n") == (
        done.returncode,
        done.stderr,
    )


def test_a_space_that_names_its_run_to_start_from_gets_that_winners_weights_or_says_what_is_missing(
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match=r"start_from: before: no such run in .*runs; run it first"):
        tried(tmp_path, toy_search(start_from="before"))
    before = open_search(
        toy_spec(sampler="grid", trials=None, space={"x": {"choice": [0.9, 0.3]}}), tmp_path / "runs/before"
    )
    InProcessExecutor().execute(before)
    before.close()
    said = tried(tmp_path, toy_search(start_from="before"))
    assert f"  starts   from {tmp_path}/runs/before/trials/1/seed0-fold0/checkpoint-4.json" in said


def test_a_mistake_in_the_file_is_told_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search(space={"knid": "raises"}))
    code = f"import sys, orchestrator.cli as c; print(c.main(['try', {str(space)!r}]), 'optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "2 False\n" == done.stdout


def test_the_set_up_is_what_the_first_step_took_longer_than_the_others() -> None:
    assert (2.0, 0.5) == pytest.approx(set_up_and_step([2.5, 3.0, 3.5]))
    assert (0.0, 1.0) == pytest.approx(set_up_and_step([0.5, 1.5])), "never negative"
    assert (0.0, 3.0) == set_up_and_step([3.0])


def test_what_is_set_must_fit_the_rest_of_the_configuration(tmp_path: Path, temporary: Path) -> None:
    with pytest.raises(UserError, match=r"--set: turns: .*kind is plain"):
        tried(tmp_path, toy_search(sampler="tpe", trials=3, space={**SPACE, "kind": "plain"}), changes={"turns": 3})
    said = tried(
        tmp_path,
        toy_search(sampler="tpe", trials=3, space={**SPACE, "kind": "plain"}),
        changes={"turns": 3, "kind": "bent"},
    )
    assert f"  {'turns':<24} 3" in said
