"""The command `sync`: copies runs into MLflow that are not there, or not whole. Imports only what parsing needs."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from orchestrator.options import add_command, add_shared_options

if TYPE_CHECKING:  # for annotations only
    from orchestrator.history.run_folder import RunFolder


def add_sync_command(commands: Any) -> None:
    """Add `sync`."""
    text = "copy runs into MLflow that are not there, or not whole; copying again adds nothing"
    sync = add_command(commands, "sync", _sync, text)
    sync.add_argument("names", nargs="*", metavar="RUN", help="which; without any, all runs of the folder")
    add_shared_options(sync)


def _sync(given: argparse.Namespace) -> None:
    from orchestrator.errors import RunFailed, UserError
    from orchestrator.history.run_contents import all_runs
    from orchestrator.history.run_folder import existing_run, runs_root

    names = dict.fromkeys(given.names)
    folders = [existing_run(name, given.runs) for name in names] or all_runs(runs_root(given.runs))
    from orchestrator.results.mlflow_copy import NotCopied  # after a wrong name was told

    answers: dict[str, dict[str, Any]] = {}
    failures: list[str] = []
    for folder in folders:
        try:
            answers[folder.name] = answer = _copied(folder)
        except (RunFailed, UserError) as error:  # of a damaged run, too, which keeps no other from being copied
            failures.append(str(error))
            if isinstance(error, NotCopied) and error.store_is_away:  # nor would it take the others
                break
            continue
        if not given.json:
            place = [] if answer["place"] is None else [f"{folder.name}: MLflow {answer['place']}"]
            print("\n".join([*answer["notes"], *place]))
    if given.json:
        print(json.dumps(answers))
    elif not folders:
        print(f"no runs in {runs_root(given.runs)}")
    if failures:
        raise RunFailed("\n".join(failures))


def _copied(folder: "RunFolder") -> dict[str, Any]:
    from orchestrator.results.mlflow_copy import copy_run

    if reason := _not_now(folder):
        return {"place": None, "notes": [reason]}
    copied = copy_run(folder)
    return {"place": copied.place, "notes": list(copied.notes)}


def _not_now(folder: "RunFolder") -> str | None:
    """Return why a run is not copied; None where it is."""
    from orchestrator.cluster.watching import is_driven
    from orchestrator.history.journal import read_journal

    if folder.audit.exists():
        return f"{folder.name}: is an audit, of which MLflow has no copy; its tables are in {folder.path}"
    if not read_journal(folder.journal):
        return f"{folder.name}: nothing has begun yet"
    if is_driven(folder):
        return f"{folder.name}: runs; its driver copies it at its end"
    return None
