"""Where a run stands, its jobs included, once or again and again. A run without jobs is looked at in the same way."""

import contextlib
import sys
import time

from rich.live import Live

from orchestrator.cluster.cluster_status import cluster_lines, has_driver
from orchestrator.cluster.run_files import RunFiles
from orchestrator.history.driver_lock import is_held
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.status import audit_line, status_of

WATCH_S = 2.0


def status_lines(folder: RunFolder, *, driven: bool, brief: bool = False) -> list[str]:
    """Return where a run stands, line by line for people: its searches, and its jobs where it has any."""
    audited = audit_line(folder)
    lines = [] if audited is None else [audited]
    lines += [
        f"{'' if status.run == folder.name else f'{folder.name}/'}{status.line(brief=brief)}"
        for status in status_of(folder, driven=driven)
    ]
    lines = lines or [f"{folder.name}: nothing has begun yet"]
    if RunFiles(folder).exists:
        lines += [f"  {line}" for line in cluster_lines(folder, brief=brief)]
    return lines


def watch(folder: RunFolder) -> None:
    """Show where a run stands until nobody drives it any more; in a pipe, each line that changed."""
    shown: list[str] = []
    with Live(auto_refresh=False) if sys.stdout.isatty() else contextlib.nullcontext() as live:
        while True:
            driven = is_driven(folder)
            lines = status_lines(folder, brief=live is None, driven=driven)
            if live is not None:
                live.update("\n".join(lines), refresh=True)
            elif changed := [line for line in lines if line not in shown]:
                print("\n".join(changed), flush=True)
            shown = lines
            if not driven:
                return
            time.sleep(WATCH_S)


def is_driven(folder: RunFolder) -> bool:
    """Return whether a driver of this run lives, on this machine or as a job that runs or waits."""
    if is_held(folder) or not RunFiles(folder).exists:
        return is_held(folder)
    return has_driver(folder)
