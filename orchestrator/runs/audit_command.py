"""The command `audit`. Imports only what parsing needs."""

import argparse
import json
from pathlib import Path
from typing import Any

from orchestrator.options import add_command, add_executor_option, add_run_options, positive


def add_audit_command(commands: Any) -> None:
    """Add `audit` to the command line."""
    text = "repeat a whole experiment over outer parts of the open records: what is searching worth?"
    command = add_command(commands, "audit", _audit, text)
    command.add_argument("file", type=Path, metavar="FILE", help="an experiment or a search space (YAML)")
    outer = "how many parts: 2 to 5, or 10, 15, ... for repeats of five (default 5)"
    command.add_argument("--outer", type=positive, default=5, metavar="N", help=outer)
    add_run_options(command)
    add_executor_option(command)


def _audit(given: argparse.Namespace) -> None:
    from orchestrator.atomic import write_text
    from orchestrator.execution.this_machine import session_here
    from orchestrator.history.run_folder import new_run
    from orchestrator.results.audit_table import as_json, audit_csv, audit_markdown
    from orchestrator.runs.audit import importance_by_stage, refuse_unauditable, run_audit
    from orchestrator.runs.preparation import prepare_data
    from orchestrator.specs.experiment import Experiment

    folder = new_run(given.name, given.runs, otherwise=f"{given.file.stem}-audit")
    experiment = Experiment.of_file(given.file)
    refuse_unauditable(experiment)
    searches = list(experiment.searches.values())
    prepare_data(searches, quiet=given.json)
    with session_here(folder, searches, executor=given.executor, quiet=given.json)() as session:
        parts = run_audit(experiment, folder, outer=given.outer, session=session)
    metric, mode = experiment.tested.metric, experiment.tested.mode
    importance = importance_by_stage(folder, outer=given.outer)
    table = audit_markdown(parts, name=folder.name, metric=metric, mode=mode, importance=importance)
    write_text(folder.table_md, table)
    write_text(folder.table_csv, audit_csv(parts))
    print(json.dumps(as_json(parts, metric)) if given.json else f"{table}\ntable {folder.table_csv}")
