"""The copy in MLflow: who may read it."""

import os
from pathlib import Path

import pytest

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
