"""The commands `search`, `run`, `resume` and `retrain`: which run is meant, and how it goes on.

Imports only what parsing needs.
"""

import argparse
from pathlib import Path
from typing import Any

from orchestrator.commands.here_or_cluster import (
    retrain_somewhere,
    run_audit_somewhere,
    run_experiment_somewhere,
    run_search_somewhere,
)
from orchestrator.errors import UserError
from orchestrator.options import (
    add_command,
    add_here_options,
    add_place_options,
    add_run_options,
    add_shared_options,
    positive,
)


def add_search_command(commands: Any) -> None:
    """Add `search`."""
    search = add_command(commands, "search", _search, "run a search, or go on with it")
    search.add_argument("--space", type=Path, required=True, metavar="FILE", help="the search space (YAML)")
    add_run_options(search)
    add_place_options(search)
    search.add_argument(
        "--trials", type=positive, metavar="T", help="how many trials in all, instead of the file's number"
    )
    search.add_argument(
        "--concurrency", type=positive, metavar="C", help="how many fits at a time, instead of the file's number"
    )


def add_run_command(commands: Any) -> None:
    """Add `run`."""
    run = add_command(commands, "run", _run, "run an experiment, or go on with it: stages, final, test, MLflow")
    run.add_argument("file", type=Path, metavar="FILE", help="the experiment (YAML)")
    run.add_argument("--reopen", action="store_true", help="test although another run tested on this data; marked")
    add_run_options(run)
    add_place_options(run)


def add_resume_command(commands: Any) -> None:
    """Add `resume`."""
    resume = add_command(commands, "resume", _resume, "go on with a run from its journal")
    resume.add_argument("name", metavar="RUN")
    add_here_options(resume)
    add_shared_options(resume)


def add_retrain_command(commands: Any) -> None:
    """Add `retrain`."""
    text = "make a run's winner one model, retrained over seeds or averaged, test it once, log it to MLflow"
    retrain = add_command(commands, "retrain", _retrain, text)
    retrain.add_argument("name", metavar="RUN", help="an experiment has its own final")
    retrain.add_argument("--seeds", type=positive, default=3, metavar="N", help="how many seeds (default 3)")
    average = "instead, average the fits that were judged: the winner's, or of all that tie with the best"
    retrain.add_argument("--average", choices=("winner", "ties"), help=average)
    retrain.add_argument("--reopen", action="store_true", help="open the test part again; the result is marked")
    add_shared_options(retrain)
    add_place_options(retrain)


def _search(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import new_run
    from orchestrator.specs.reading import read_search

    folder = new_run(given.name, given.runs, otherwise=given.space.stem)
    changes = {name: value for name in ("trials", "concurrency") if (value := getattr(given, name)) is not None}
    spec = read_search(given.space).model_copy(update=changes)
    run_search_somewhere(spec, folder, given)


def _run(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import new_run
    from orchestrator.specs.experiment import Experiment

    folder = new_run(given.name, given.runs, otherwise=given.file.stem)
    experiment = Experiment.read(given.file)
    run_experiment_somewhere(experiment, folder, given, reopen=given.reopen)


def _resume(given: argparse.Namespace) -> None:
    from orchestrator.history.run_contents import audit_of, experiment_of, search_of
    from orchestrator.history.run_folder import existing_run

    folder = existing_run(given.name, given.runs)
    if (folder.path / "cluster").exists():
        from orchestrator.cluster.commands import answer
        from orchestrator.cluster.submit import submit_again

        if given.executor != "ray" or given.ray:
            word = "--ray" if given.ray else "--executor"
            raise UserError(f"{word}: {folder.name} runs on a cluster, where its profile says how; leave it out")

        answer(folder, submit_again(folder), as_json=given.json)
    elif audit := audit_of(folder):
        run_audit_somewhere(audit, folder, given)
    elif experiment := experiment_of(folder):
        run_experiment_somewhere(experiment, folder, given)
    else:
        run_search_somewhere(search_of(folder), folder, given)


def _retrain(given: argparse.Namespace) -> None:
    from orchestrator.history.run_contents import experiment_of
    from orchestrator.history.run_folder import existing_run
    from orchestrator.specs.specs import FinalSpec

    folder = existing_run(given.name, given.runs)
    if experiment := experiment_of(folder):
        run_experiment_somewhere(experiment, folder, given, reopen=given.reopen)
        return
    form = {"form": "judged", "of": given.average} if given.average else {}
    how = FinalSpec.model_validate({"stages": [folder.name], "seeds": given.seeds, **form})
    retrain_somewhere(folder, how, given)
