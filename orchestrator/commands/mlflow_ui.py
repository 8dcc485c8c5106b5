"""The command `ui`: MLflow's pages over the runs, until Ctrl-C. Imports only what parsing needs."""

import argparse
from typing import Any

from orchestrator.options import add_command, add_runs_option, port

PORT = 5000  # MLflow's own
PAGE = (
    "#/experiments?workflowType=machine_learning"  # runs, models and the registry; MLflow begins with language models
)


def add_ui_command(commands: Any) -> None:
    """Add `ui`."""
    ui = add_command(commands, "ui", _ui, "show what MLflow has of the runs in a browser, on this machine alone")
    ui.add_argument("--port", type=port, default=PORT, metavar="P", help=f"where it listens (default {PORT})")
    add_runs_option(ui)


def _ui(given: argparse.Namespace) -> int:
    from orchestrator.history.run_folder import runs_root
    from orchestrator.interrupts import exit_code
    from orchestrator.results.mlflow_server import HOST, server_elsewhere, serving
    from orchestrator.results.mlflow_store import store_uri

    if address := server_elsewhere():
        print(f"MLflow is at {address} (MLFLOW_TRACKING_URI): open that")
        return 0
    runs = runs_root(given.runs)
    try:
        with serving(runs, port=given.port) as server:
            print(f"MLflow http://{HOST}:{given.port}/{PAGE} shows {store_uri(runs)}; Ctrl-C ends it", flush=True)
            return server.wait()
    except KeyboardInterrupt:  # how one ends it, so that nothing need be said
        return exit_code()
