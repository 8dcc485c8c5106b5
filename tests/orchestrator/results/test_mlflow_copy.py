"""The copy in MLflow: what it holds, that it is whole and made once, and who may read it."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pytest

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.mlflow_copy import NotCopied, copy_run
from orchestrator.results.mlflow_registration import code_of
from tests.faults.faulty_driver import killed
from tests.orchestrator import without_ray
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def runs_in(runs: Path, experiment: str) -> Mapping[str, Any]:
    """Return MLflow's runs by their names."""
    client = mlflow.MlflowClient(f"sqlite:///{runs / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return {run.info.run_name: run for run in found}


def everything(runs: Path) -> set[str]:
    """Return every row of the store, and every file beside it."""
    with closing(sqlite3.connect(runs / "mlflow.db")) as store:
        rows = list(store.iterdump())
    assert len(rows) == len(set(rows))
    files = (path for path in (runs / "mlflow").rglob("*") if path.is_file())
    return {*rows, *(f"{path.relative_to(runs)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)}


def change(runs: Path, *statements: str) -> None:
    with closing(sqlite3.connect(runs / "mlflow.db")) as store, store:
        for statement in statements:
            assert store.execute(statement).rowcount, statement


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one experiment, of two stages and a final, and a search with a final; both are copied."""
    folder = tmp_path_factory.mktemp("copied")
    search = written(folder / "s.yaml", toy_search(folds=1, space={"x": 0.3, "kind": {"choice": ["plain", "raises"]}}))
    told = {
        "stages": {"a": {"search": "s.yaml"}, "b": {"search": "s.yaml"}},
        "final": {"stages": ["a", "b"], "seeds": 1},
    }
    runs = folder / "runs"
    assert 0 == orchestrate_here("run", written(folder / "e.yaml", told), "--runs", runs).returncode
    assert 0 == orchestrate_here("search", "--space", search, "--runs", runs).returncode
    assert 0 == orchestrate_here("retrain", "s", "--seeds", 2, "--reopen", "--runs", runs).returncode
    assert 0 == orchestrate_here("resume", "e", "--runs", runs).returncode  # whose table knows now of two openings
    return runs


def test_every_run_ends_as_what_it_says_and_has_its_metrics(copied: Path) -> None:
    found = runs_in(copied, "e")
    assert {"e": "FINISHED", "a": "FINISHED", "b": "FINISHED", "final": "FINISHED"} == {
        name: run.info.status for name, run in found.items() if not name.startswith("trial")
    }
    assert ["FAILED", "FINISHED"] == sorted(run.info.status for run in found.values() if "trial" in run.info.run_name)
    tested = json.loads((copied / "e" / "final" / "test.json").read_text())["metrics"]
    assert tested["score"] == found["e"].data.metrics["test_score"] == found["final"].data.metrics["test_score"]
    assert json.loads((copied / "e" / "a" / "winner.json").read_text())["mean"] == found["a"].data.metrics["score"]
    alone = runs_in(copied, "s")["s"]
    assert "FINISHED" == alone.info.status
    assert {"score", "test_score"} <= set(alone.data.metrics)
    assert all(run.info.start_time <= run.info.end_time for run in found.values())


@pytest.mark.parametrize("again", [("sync",), ("sync", "s"), ("resume", "e"), ("resume", "s")])
def test_copying_again_adds_nothing_at_all(copied: Path, again: tuple[object, ...]) -> None:
    before = everything(copied)
    done = orchestrate_here(*again, "--runs", copied)
    assert 0 == done.returncode, done.stderr
    assert set() == before ^ everything(copied)


def test_a_copy_that_was_cut_short_is_completed_and_nothing_is_there_twice(copied: Path, tmp_path: Path) -> None:
    """As a kill leaves it, or an earlier version: no mark of a whole run, some points missing, parents at work."""
    runs = tmp_path / "runs"
    shutil.copytree(copied, runs)
    change(runs, f"UPDATE experiments SET artifact_location = replace(artifact_location, '{copied}', '{runs}')")
    change(runs, f"UPDATE runs SET artifact_uri = replace(artifact_uri, '{copied}', '{runs}')")
    before = everything(runs)
    change(
        runs,
        "DELETE FROM tags WHERE key IN ('orchestrate.complete', 'orchestrate.copied')",
        "DELETE FROM metrics WHERE step = 3",
        "UPDATE runs SET status = 'RUNNING', end_time = NULL",
    )
    assert 0 == orchestrate_here("sync", "--runs", runs).returncode
    assert set() == before ^ everything(runs)


def test_a_search_without_a_complete_trial_is_copied_as_failed_and_an_interrupted_one_as_killed(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    bad = written(tmp_path / "bad.yaml", toy_search(folds=1, space={"kind": "raises"}))
    assert 1 == orchestrate_here("search", "--space", bad, "--runs", runs).returncode
    cut = written(tmp_path / "cut.yaml", toy_search(folds=1))
    assert -9 == killed("search", "--space", cut, "--runs", runs, kill="tell-complete:1:after").returncode

    said = orchestrate_here("sync", "--runs", runs, "--json")

    assert 0 == said.returncode, said.stderr
    assert {"bad", "cut"} == set(json.loads(said.stdout))
    assert "FAILED" == runs_in(runs, "bad")["bad"].info.status
    assert "KILLED" == runs_in(runs, "cut")["cut"].info.status
    assert 0 == orchestrate_here("resume", "cut", "--runs", runs).returncode
    assert "FINISHED" == runs_in(runs, "cut")["cut"].info.status
    assert 2 == sum("trial" in name for name in runs_in(runs, "cut"))


def test_sync_says_what_it_cannot_copy_and_copies_the_others(tmp_path: Path) -> None:
    runs, search = tmp_path / "runs", written(tmp_path / "s.yaml", toy_search(folds=1))
    for name in ("damaged", "whole"):
        assert 0 == orchestrate_here("search", "--space", search, "--runs", runs, "--name", name).returncode
    (runs / "damaged" / "journal.jsonl").write_text("garbage\n")

    done = orchestrate_here("sync", "--runs", runs)

    assert 1 == done.returncode
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert "whole: MLflow sqlite" in done.stdout
    assert "no runs in" in orchestrate_here("sync", "--runs", tmp_path / "none").stdout
    assert 2 == orchestrate_here("sync", "nobody", "--runs", runs).returncode


@pytest.mark.parametrize("message", ["", "\n", "  ", "said\nmore"])
def test_an_error_of_mlflows_is_told_in_one_line_whatever_it_says(
    copied: Path, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    def failing(*_given: object, **_named: object) -> None:
        raise LookupError(message)

    monkeypatch.setattr(mlflow.MlflowClient, "get_experiment_by_name", failing)
    with pytest.raises(NotCopied) as raised:
        copy_run(RunFolder(copied / "s"))
    assert f"(LookupError: {message.splitlines()[0]})" in str(raised.value) if message.strip() else "(LookupError:"
    assert 1 == len(str(raised.value).splitlines())


def test_of_a_task_in_a_module_alone_its_file_is_the_code_and_not_the_folder_that_it_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "alone_task.py").write_text("from tests.toy_task import ToyTask\n\n\nclass Alone(ToyTask):\n    pass\n")
    (room / "private.txt").write_text("recordings\n")
    monkeypatch.syspath_prepend(room)
    space = toy_search(folds=1, task={"name": "alone_task:Alone", "with": {}})
    search, runs = written(tmp_path / "s.yaml", space), tmp_path / "runs"
    assert 0 == orchestrate_here("search", "--space", search, "--runs", runs).returncode
    done = orchestrate_here("retrain", "s", "--seeds", 1, "--runs", runs)
    assert 0 == done.returncode, done.stderr
    assert "no whole copy" not in done.stderr

    assert [] == list((runs / "mlflow").rglob("private.txt"))
    code = "import mlflow, numpy as np; model = mlflow.pyfunc.load_model('models:/s/1');"
    code += "print(model.predict(np.zeros((2, 1), dtype='float32')).shape)"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{runs}/mlflow.db", "PYTHONPATH": os.getcwd()}
    served = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert "(2, 1)" == served.stdout.strip(), served.stderr
    assert "orchestrator" == code_of("orchestrator.simulation.recorded_task:RecordedTask").name


def test_names_and_values_that_mlflow_finds_too_long_are_copied_and_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "f1_" + "atrial fibrillation with a rapid ventricular response, " * 5
    (tmp_path / "wordy_task.py").write_text(
        "from tests.toy_task import ToyTask\n\n\nclass Wordy(ToyTask):\n"
        "    def fit(self, fit, report):\n"
        f"        names = [{long!r} + end for end in 'ab']\n"
        "        super().fit(fit, lambda step, row, path:"
        " report(step, {**row, names[0]: 0.25, names[1]: 0.75, '..': 1.0, 'a/b': 2.0, 'a_b': 3.0}, path))\n"
        "        if fit.config['x'] == 0.1:\n            raise ValueError('x' * 20000)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    search = written(tmp_path / "s.yaml", toy_search(folds=1, task={"name": "wordy_task:Wordy", "with": {}}))
    done = orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    assert "" == done.stderr
    found = runs_in(tmp_path / "runs", "s")
    complete = next(run for run in found.values() if run.data.tags.get("state") == "complete")
    assert {0.25, 0.75, 1.0, 2.0, 3.0} <= set(complete.data.metrics.values())
    failed = next(run for run in found.values() if run.data.tags.get("state") == "failed")
    assert "xxx" in failed.data.tags["error"]


def test_the_copy_beside_the_runs_is_the_users_alone_as_the_runs_are(tmp_path: Path) -> None:
    """What an earlier version left open is closed by the next copy."""
    search, runs = written(tmp_path / "s.yaml", toy_search()), tmp_path / "runs"
    words = ("search", "--space", search, "--runs", runs)
    assert 0 == orchestrate_here(*words).returncode
    assert [0o600, 0o700, 0o700] == [mode(runs / name) for name in ("mlflow.db", "mlflow", "s")]
    assert {0o600} == {mode(path) for path in (runs / "s").glob("*") if path.is_file()}
    assert 0o600 == mode(runs / "mlflow.db.lock")

    (runs / "mlflow.db").chmod(0o644)
    (runs / "mlflow").chmod(0o755)
    assert 0 == orchestrate_here(*words).returncode
    assert [0o600, 0o700] == [mode(runs / name) for name in ("mlflow.db", "mlflow")]


def test_a_store_that_the_user_names_is_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared.db"
    shared.touch()
    shared.chmod(0o664)
    search = written(tmp_path / "s.yaml", toy_search())
    words = ("search", "--space", search, "--runs", tmp_path / "runs")
    assert 0 == orchestrate_here(*words, MLFLOW_TRACKING_URI=f"sqlite:///{shared}").returncode
    assert 0o664 == mode(shared)
    assert 0o664 == mode(tmp_path / "shared.db.lock"), "whoever may write the store may wait for it"


def test_a_process_that_copied_one_run_looks_for_the_store_of_the_next_beside_that(tmp_path: Path) -> None:
    """MLflow keeps the store that it was told in the environment, where it looks like one that the user names."""
    before = dict(os.environ)
    search = written(tmp_path / "s.yaml", toy_search())
    for folder in ("first", "second"):
        assert 0 == without_ray.main(["search", "--space", str(search), "--runs", str(tmp_path / folder)])
        assert (tmp_path / folder / "mlflow.db").exists()
    assert {name for name in os.environ if "MLFLOW" in name} == {name for name in before if "MLFLOW" in name}


@pytest.mark.parametrize(("x", "nothing"), [(2.0, "the score is below 0"), (0.3, None)])
def test_a_final_that_has_learnt_nothing_is_said_loudly_marked_and_not_registered(
    tmp_path: Path, x: float, nothing: str | None
) -> None:
    task = {"name": "tests.toy_task:ScepticalToyTask", "with": {}}
    search, runs = written(tmp_path / "s.yaml", toy_search(task=task, space={"x": x})), tmp_path / "runs"
    elsewhere = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    assert 0 == orchestrate_here("search", "--space", search, "--runs", runs, **elsewhere).returncode

    done = orchestrate_here("retrain", "s", "--runs", runs, "--seeds", "1", **elsewhere)

    assert 0 == done.returncode, done.stderr
    assert nothing == json.loads((runs / "s" / "final" / "test.json").read_text())["learnt_nothing"]
    said = "  WARNING this model has learnt nothing: the score is below 0; MLflow does not register it"
    assert (nothing is not None) == (said in done.stdout.splitlines())
    client = mlflow.MlflowClient(elsewhere["MLFLOW_TRACKING_URI"])
    (final,) = client.search_runs(["1"], "attributes.run_name = 'final'")
    assert nothing == final.data.tags.get("learnt nothing")
    assert ([] if nothing else ["s"]) == [model.name for model in client.search_registered_models()]
