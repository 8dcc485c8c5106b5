"""The copy in MLflow: who may read it."""

import json
import os
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.orchestrator import without_ray
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_copy_beside_the_runs_is_the_users_alone_as_the_runs_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier version left open is closed by the next copy."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    search, runs = written(tmp_path / "s.yaml", toy_search()), tmp_path / "runs"
    words = ("search", "--space", search, "--runs", runs)
    assert 0 == orchestrate_here(*words).returncode
    assert [0o600, 0o700, 0o700] == [mode(runs / name) for name in ("mlflow.db", "mlflow", "s")]
    assert {0o600} == {mode(path) for path in (runs / "s").glob("*") if path.is_file()}

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


def test_a_process_that_copied_one_run_looks_for_the_store_of_the_next_beside_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow keeps the store that it was told in the environment, where it looks like one that the user names."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    search = written(tmp_path / "s.yaml", toy_search())
    for folder in ("first", "second"):
        assert 0 == without_ray.main(["search", "--space", str(search), "--runs", str(tmp_path / folder)])
        assert (tmp_path / folder / "mlflow.db").exists()
    assert "MLFLOW_TRACKING_URI" not in os.environ


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
    client = MlflowClient(elsewhere["MLFLOW_TRACKING_URI"])
    (final,) = client.search_runs(["1"], "attributes.run_name = 'final'")
    assert nothing == final.data.tags.get("learnt nothing")
    assert ([] if nothing else ["s"]) == [model.name for model in client.search_registered_models()]
