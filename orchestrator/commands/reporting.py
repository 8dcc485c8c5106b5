"""The commands `report` and `open`: a run's page, written again and shown. Imports only what parsing needs."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from orchestrator.options import add_command, add_runs_option, add_shared_options


def add_report_command(commands: Any) -> None:
    """Add `report`."""
    report = add_command(commands, "report", _report, "write the page of a run, report.html, from its files")
    report.add_argument("name", metavar="RUN")
    add_shared_options(report)


def add_open_command(commands: Any) -> None:
    """Add `open`."""
    text = "show the page of a run in a browser, or say where it lies where there is no display"
    show = add_command(commands, "open", _open, text)
    show.add_argument("name", metavar="RUN")
    add_runs_option(show)


def _report(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import existing_run
    from orchestrator.html_report.page import write_page

    written = write_page(existing_run(given.name, given.runs))
    print(json.dumps({"report": str(written)}) if given.json else f"{written}: written")


def _open(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import existing_run

    folder = existing_run(given.name, given.runs)
    if not folder.report.exists():
        from orchestrator.html_report.page import write_page

        write_page(folder)
    print(folder.report)
    if has_display():
        _show(folder.report)


def has_display() -> bool:
    """Return whether this machine can show a window to whoever gave the command."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.as_uri()):
        print("no browser was found here", file=sys.stderr)
