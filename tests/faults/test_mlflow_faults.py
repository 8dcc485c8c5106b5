"""A store that is begun by five runs at once, and a server that is killed amid a run and started again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun
from tests.orchestrator.without_ray import orchestrate_here

pytestmark = pytest.mark.slow


def test_five_runs_at_once_on_a_new_store_are_all_in_it(tmp_path: Path, judge: Judge) -> None:
    runs = [ToyRun(tmp_path, 1, f"sqlite:///{tmp_path}/mlflow.db", name=f"toy{number}") for number in range(5)]

    with contextlib.ExitStack() as exits:
        at_work = [exits.enter_context(run.at_work()) for run in runs]
        said = [subprocess.CompletedProcess(one.args, one.wait(), *one.communicate()) for one in at_work]

    for run, done in zip(runs, said, strict=True):
        assert "MLflow sqlite" in done.stdout, "its copy is whole"
        judge("five runs at once on a new MLflow store", run, known=b"", lost=0, said=done, code=0)


@pytest.fixture
def alone(tmp_path: Path) -> ToyRun:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return ToyRun(tmp_path, 1, f"http://127.0.0.1:{free.getsockname()[1]}")


@contextlib.contextmanager
def server_of(run: ToyRun) -> Iterator[subprocess.Popen[bytes]]:
    """MLflow's own server at the run's address."""
    port = int(run.store.rpartition(":")[2])
    words = ["server", "--port", str(port), "--workers", "1", "--backend-store-uri", f"sqlite:///{run.folder}/its.db"]
    with (run.folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, "--artifacts-destination", run.folder / "artifacts"],
            stdout=log,
            stderr=log,
            process_group=0,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},  # eight more processes
        )
    try:
        deadline = time.monotonic() + 120
        while not answers(port):
            assert server.poll() is None, (run.folder / "server.log").read_text()
            assert time.monotonic() < deadline, "MLflow's server did not come up"
            time.sleep(0.1)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def test_a_server_that_is_killed_amid_the_copy_costs_one_line_and_has_it_all_when_it_is_there_again(
    alone: ToyRun, judge: Judge
) -> None:
    soon = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "2", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    with server_of(alone) as server:
        said = alone.struck(f"copy:3:before:KILL:-{server.pid}", **soon)
    known = alone.journal.read_bytes()
    with server_of(alone):
        later = orchestrate_here("sync", "--runs", alone.runs, **alone.environment)
    assert (0, "") == (later.returncode, later.stderr)
    assert later.stdout.startswith("toy: ")
    words = "`orchestrate sync toy` copies it"
    judge(
        "MLflow's server killed amid the copy, later there", alone, known=known, lost=0, said=said, code=0, words=words
    )
