"""MLflow's own server and pages over a local store: a process of ours on this machine's loopback, ended with us.

Imports no MLflow.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from orchestrator.errors import RunFailed, UserError
from orchestrator.results.mlflow_database import database_of
from orchestrator.results.mlflow_store import open_store, store_uri

HOST = "127.0.0.1"
STARTS_WITHIN_S, ENDS_WITHIN_S = 120.0, 10.0
# No processes for jobs of MLflow's own (eight more), and nothing sent to anybody.
_ALONE = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def server_elsewhere() -> str | None:
    """Return the address of the server that MLFLOW_TRACKING_URI names, which has its own pages; None: there is none."""
    named = os.environ.get("MLFLOW_TRACKING_URI", "")
    return named if named.startswith(("http://", "https://")) else None


@contextlib.contextmanager
def serving(runs: Path, *, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the store of a folder of runs at HOST and a port for the length of the block.

    Raises UserError where the port is taken or nothing has been copied yet, and RunFailed where the server ends.
    """
    _refuse_taken(port)
    database = database_of(store_uri(runs))
    if database is not None and not database.exists():
        raise UserError(f"{database}: nothing is in MLflow yet; a run copies itself at its end, `orchestrate sync` now")
    with open_store(runs, write=False):  # one of an earlier MLflow is brought up, which its server refuses to do
        pass
    with tempfile.TemporaryFile() as said:
        words = ["--backend-store-uri", store_uri(runs), "--default-artifact-root", (runs / "mlflow").as_uri()]
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1", *words],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            process_group=0,  # a terminal's Ctrl-C is ours, who end the whole group
            env={**os.environ, **_ALONE},
        )
        try:
            _await(server, port, said)
            yield server
        finally:
            _end(server)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just left is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(f"--port {port}: cannot be had ({error.strerror}); name another") from None


def _await(server: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not _answers(port):
        if server.poll() is not None:
            raise RunFailed(f"MLflow's server has ended (exit code {server.returncode}):\n{_last_lines(said)}")
        if time.monotonic() > deadline:
            raise RunFailed(f"MLflow's server has not come up in {STARTS_WITHIN_S:.0f} s:\n{_last_lines(said)}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection((HOST, port), timeout=1).close()
        return True
    return False


def _last_lines(said: IO[bytes]) -> str:
    said.seek(0)
    return "\n".join(said.read().decode("utf-8", "replace").splitlines()[-5:])


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(ENDS_WITHIN_S)
