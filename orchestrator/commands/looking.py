"""The commands `plan`, `status` and `consolidate`: what would run, where runs stand, what came of them.

Imports only what parsing needs.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from orchestrator.options import add_cluster_option, add_command, add_shared_options, positive


def add_plan_command(commands: Any) -> None:
    """Add `plan`."""
    plan = add_command(commands, "plan", _plan, "show what a search space or an experiment would do; start nothing")
    plan.add_argument("file", type=Path, metavar="FILE", help="a YAML of search_spaces/ or experiments/")
    plan.add_argument("--runs", type=Path, metavar="DIR", help="earlier runs, from which the hours are forecast")
    add_cluster_option(plan)


def add_status_command(commands: Any) -> None:
    """Add `status`."""
    status = add_command(commands, "status", _status, "show where runs stand")
    status.add_argument("name", nargs="?", metavar="RUN", help="one run; without it, all of them")
    status.add_argument("--watch", action="store_true", help="show the run again and again until it is over")
    add_shared_options(status)


def add_consolidate_command(commands: Any) -> None:
    """Add `consolidate`."""
    text = "write and print the table of a run, or of several as one"
    consolidate = add_command(commands, "consolidate", _consolidate, text)
    consolidate.add_argument("names", nargs="+", metavar="RUN")
    consolidate.add_argument("--columns", type=_names, default=(), metavar="A,B", help="print these columns only")
    consolidate.add_argument("--best", type=positive, metavar="N", help="print the N best of each ranking only")
    consolidate.add_argument(
        "--format", choices=("md", "csv", "tex", "html"), default="md", help="what is printed (default: md)"
    )
    add_shared_options(consolidate)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError(f"must be names, separated by commas, got {text!r}")
    return names


def _plan(given: argparse.Namespace) -> None:
    from orchestrator.runs.plan import plan

    for line in plan(given.file):
        print(line)
    if given.cluster:
        from orchestrator.cluster.cluster_plan import cluster_plan
        from orchestrator.cluster.profile import read_profile
        from orchestrator.history.run_folder import runs_root

        for line in cluster_plan(given.file, read_profile(given.cluster), runs_root(given.runs)):
            print(line)


def _status(given: argparse.Namespace) -> None:
    from orchestrator.cluster.watching import is_driven, status_lines, watch
    from orchestrator.history.run_contents import all_runs
    from orchestrator.history.run_folder import existing_run, runs_root
    from orchestrator.results.status import status_of

    if given.name and given.watch:
        watch(existing_run(given.name, given.runs))
        return
    folders = [existing_run(given.name, given.runs)] if given.name else all_runs(runs_root(given.runs))
    if given.json:
        found = {folder.name: status_of(folder, driven=is_driven(folder)) for folder in folders}
        print(json.dumps({name: [status.as_data() for status in statuses] for name, statuses in found.items()}))
        return
    for folder in folders:
        print("\n".join(status_lines(folder, driven=is_driven(folder))))
    if not folders:
        print(f"no runs in {runs_root(given.runs)}")


def _consolidate(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import existing_run
    from orchestrator.results.consolidation import Choice, consolidate

    choice = Choice(columns=given.columns, best=given.best, form=given.format)
    folders = [existing_run(name, given.runs) for name in dict.fromkeys(given.names)]
    print(consolidate(folders, as_json=given.json, place=folders[0].path.parent, choice=choice))
