"""`orchestrate ui`: MLflow's pages on this machine's loopback, ended by Ctrl-C with nothing left behind."""

import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from orchestrator.results.mlflow_store import open_store
from tests.orchestrator.without_ray import orchestrate_here


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_it_shows_the_store_beside_the_runs_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_store(tmp_path, write=True) as store:
        store.experiment("mine", artifacts=tmp_path / "mlflow")
    port = free_port()
    words = [sys.executable, "-m", "orchestrator.cli", "ui", "--runs", str(tmp_path), "--port", str(port)]
    command = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert command.stdout is not None
        said = command.stdout.readline()
        page = f"http://127.0.0.1:{port}/#/experiments?workflowType=machine_learning"
        assert f"MLflow {page} shows sqlite:///{tmp_path}/mlflow.db; Ctrl-C ends it\n" == said
        asked = f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get-by-name?experiment_name=mine"
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert b'"custom_model_development"' in answer.read()
        servers = psutil.Process(command.pid).children(recursive=True)
        assert servers
    finally:
        command.send_signal(signal.SIGINT)
        rest = command.communicate(timeout=60)
    assert (130, ("", "")) == (command.returncode, rest)
    assert not [server for server in servers if server.is_running() and server.status() != psutil.STATUS_ZOMBIE]
    assert not (tmp_path / "mlruns").exists()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


def test_a_port_that_is_taken_is_said_and_so_is_a_number_that_is_none(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        done = orchestrate_here("ui", "--runs", tmp_path, "--port", port)
    assert (2, f"--port {port}: cannot be had (Address already in use); name another\n") == (
        done.returncode,
        done.stderr,
    )
    with pytest.raises(SystemExit, match="2"):
        orchestrate_here("ui", "--port", 70000)


def test_where_nothing_was_copied_or_a_server_is_named_none_is_started(tmp_path: Path) -> None:
    done = orchestrate_here("ui", "--runs", tmp_path, "--port", free_port())
    assert 2 == done.returncode
    assert "mlflow.db: nothing is in MLflow yet" in done.stderr
    assert [] == list(tmp_path.iterdir())
    elsewhere = orchestrate_here("ui", MLFLOW_TRACKING_URI="http://mlflow.example:5000")
    assert (0, "MLflow is at http://mlflow.example:5000 (MLFLOW_TRACKING_URI): open that\n") == (
        elsewhere.returncode,
        elsewhere.stdout,
    )
