"""The command `audit`. Imports only what parsing needs."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.options import add_command, add_place_options, add_run_options, positive

if TYPE_CHECKING:  # for annotations only
    from orchestrator.history.run_contents import Audit
    from orchestrator.history.run_folder import RunFolder


def add_audit_command(commands: Any, go_on: Callable[["Audit", "RunFolder", argparse.Namespace], None]) -> None:
    """Add `audit` to the command line; go_on: runs an audit wherever the options say."""
    text = "repeat a whole experiment over outer parts of the open records: what is searching worth?"
    command = add_command(commands, "audit", partial(_audit, go_on), text)
    command.add_argument("file", type=Path, metavar="FILE", help="an experiment or a search space (YAML)")
    outer = "how many parts: 2 to 5, or 10, 15, ... for repeats of five (default 5)"
    command.add_argument("--outer", type=positive, default=5, metavar="N", help=outer)
    add_run_options(command)
    add_place_options(command)


def _audit(go_on: Callable[["Audit", "RunFolder", argparse.Namespace], None], given: argparse.Namespace) -> None:
    from orchestrator.history.run_contents import Audit
    from orchestrator.history.run_folder import new_run
    from orchestrator.runs.audit import refuse_unauditable
    from orchestrator.specs.experiment import Experiment

    folder = new_run(given.name, given.runs, otherwise=f"{given.file.stem}-audit")
    audit = Audit(experiment=Experiment.of_file(given.file), outer=given.outer)
    refuse_unauditable(audit.experiment)
    go_on(audit, folder, given)
