"""The command `dashboard`: a run's searches in Optuna's dashboard, until Ctrl-C. Imports only what parsing needs."""

import argparse
from typing import Any

from orchestrator.options import add_command, add_runs_option, port

HOST, PORT = "127.0.0.1", 8080  # this machine alone; the port is the dashboard's own


def add_dashboard_command(commands: Any) -> None:
    """Add `dashboard`."""
    text = "show a run's searches in Optuna's dashboard, on this machine alone"
    dashboard = add_command(commands, "dashboard", _dashboard, text)
    dashboard.add_argument("name", metavar="RUN")
    dashboard.add_argument("--port", type=port, default=PORT, metavar="P", help=f"where it listens (default {PORT})")
    add_runs_option(dashboard)


def _dashboard(given: argparse.Namespace) -> int:
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    from orchestrator.history.run_contents import read_ledger, searches_of
    from orchestrator.history.run_folder import existing_run
    from orchestrator.interrupts import exit_code
    from orchestrator.search.optuna_journal import write_optuna_journal

    folder = existing_run(given.name, given.runs)
    begun = [search for search in searches_of(folder) if search.journal.exists()]
    names = [search.name if search == folder else f"{folder.name}/{search.name}" for search in begun]
    write_optuna_journal(folder.optuna, dict(zip(names, map(read_ledger, begun), strict=True)))
    program = shutil.which("optuna-dashboard", path=str(Path(sys.executable).parent)) or shutil.which(
        "optuna-dashboard"
    )
    if program is None:
        print(f"{folder.optuna} has {len(names)} studies; to see them: pip install 'orchestrate[dashboard]'")
        return 0
    print(f"http://{HOST}:{given.port} shows {folder.optuna}; Ctrl-C ends it", flush=True)
    server = subprocess.Popen([program, str(folder.optuna), "--host", HOST, "--port", str(given.port)])
    try:
        return server.wait()
    except KeyboardInterrupt:  # how one ends it, so that nothing need be said
        return exit_code()
    finally:
        server.terminate()
        server.wait()
