"""The command `audit`. Imports only what parsing needs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.options import add_command, add_place_options, add_run_options, positive

if TYPE_CHECKING:  # for annotations only
    from orchestrator.history.run_contents import Audit
    from orchestrator.history.run_folder import RunFolder


def add_audit_command(commands: Any) -> None:
    """Add `audit` to the command line."""
    text = "repeat a whole experiment over outer parts of the open records: what is searching worth?"
    command = add_command(commands, "audit", _audit, text)
    command.add_argument("file", type=Path, metavar="FILE", help="an experiment or a search space (YAML)")
    outer = "how many parts: 2 to 5, or 10, 15, ... for repeats of five (default 5)"
    command.add_argument("--outer", type=positive, default=5, metavar="N", help=outer)
    add_run_options(command)
    add_place_options(command)


def _audit(given: argparse.Namespace) -> None:
    from orchestrator.history.run_contents import Audit
    from orchestrator.history.run_folder import RunFolder, runs_root
    from orchestrator.runs.audit import refuse_unauditable
    from orchestrator.specs.experiment import Experiment

    audit = Audit(experiment=Experiment.of_file(given.file), outer=given.outer)
    folder = RunFolder(runs_root(given.runs) / (given.name or f"{given.file.stem}-audit"))
    refuse_unauditable(audit.experiment)
    go_on(audit, folder, given)


def go_on(audit: "Audit", folder: "RunFolder", given: argparse.Namespace) -> None:
    """Run an audit to its end, here or on a cluster, and print what it says."""
    from orchestrator.runs.audit_report import audit_report

    specs = list(audit.experiment.searches.values())
    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_audit

        follow(folder, submit_audit(audit, folder, read_profile(given.cluster)), quiet=given.json)
    else:
        from orchestrator.execution.this_machine import session_here
        from orchestrator.runs.driver import drive_audit
        from orchestrator.runs.preparation import prepare_data

        prepare_data(specs, quiet=given.json)
        drive_audit(audit, folder, session_here(folder, specs, executor=given.executor, quiet=given.json))
    print(audit_report(folder, as_data=given.json))
