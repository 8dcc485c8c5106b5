"""The commands for clusters: `submit`, `logs`, `cancel`, `doctor`. Imports only what parsing needs."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.cluster.doctor.command import add_doctor_command
from orchestrator.errors import UserError
from orchestrator.options import add_command, add_shared_options

if TYPE_CHECKING:  # for annotations only
    from orchestrator.history.run_folder import RunFolder


def add_cluster_commands(commands: Any) -> None:
    """Add the commands; each sets `run`, a function of the namespace."""
    submit = add_command(commands, "submit", _submit, "submit a search or an experiment to a SLURM cluster, and return")
    submit.add_argument("file", type=Path, metavar="FILE", help="a YAML of search_spaces/ or experiments/")
    submit.add_argument("--cluster", type=Path, required=True, metavar="FILE", help="the profile (slurm/*.yaml)")
    submit.add_argument("--name", metavar="N", help="the run's name (default: the file's)")
    submit.add_argument("--reopen", action="store_true", help="test although another run tested on this data; marked")
    add_shared_options(submit)

    logs = add_command(
        commands, "logs", _logs, "show what a submitted run's driver, a worker, or a trial's fits printed"
    )
    logs.add_argument("name", metavar="RUN")
    which = logs.add_mutually_exclusive_group()
    which.add_argument("--trial", type=int, metavar="N", help="what the fits of this trial printed")
    which.add_argument("--worker", type=int, metavar="K", help="the K-th worker job, from 1")
    add_shared_options(logs)

    cancel = add_command(commands, "cancel", _cancel, "end every job of a submitted run; `resume` goes on with it")
    cancel.add_argument("name", metavar="RUN")
    add_shared_options(cancel)

    add_doctor_command(commands)


def _submit(given: argparse.Namespace) -> None:
    from orchestrator.cluster.profile import read_profile
    from orchestrator.history.run_folder import new_run
    from orchestrator.runs.preparation import refuse_second_look
    from orchestrator.specs.experiment import Experiment
    from orchestrator.specs.reading import is_experiment, read_search
    from orchestrator.specs.specs import SearchSpec

    profile = read_profile(given.cluster)
    folder = new_run(given.name, given.runs, otherwise=given.file.stem)
    spec: Experiment | SearchSpec = (
        Experiment.read(given.file) if is_experiment(given.file) else read_search(given.file)
    )
    from orchestrator.cluster.submit import submit_experiment, submit_search  # after a mistake in the file was told

    if isinstance(spec, Experiment):
        if not given.reopen and not folder.final.test.exists():
            refuse_second_look(spec.searches[spec.candidates[0]], folder.final)
        answer(folder, submit_experiment(spec, folder, profile, reopen=given.reopen), as_json=given.json)
    elif given.reopen:
        raise UserError(f"--reopen: {given.file} is a search, which never opens the test part; leave it out")
    else:
        answer(folder, submit_search(spec, folder, profile), as_json=given.json)


def _logs(given: argparse.Namespace) -> None:
    from orchestrator.cluster.logs import driver_log, trial_log, worker_log
    from orchestrator.history.run_folder import existing_run

    folder = existing_run(given.name, given.runs)
    if given.trial is not None:
        printed = trial_log(folder, given.trial)
    elif given.worker is not None:
        printed = worker_log(folder, given.worker)
    else:
        printed = driver_log(folder)
    if given.json:
        print(json.dumps([one.as_data() for one in printed]))
    else:
        print("\n".join(one.lines() for one in printed))


def _cancel(given: argparse.Namespace) -> None:
    from orchestrator.cluster.submit import cancel_run
    from orchestrator.history.run_folder import existing_run

    folder = existing_run(given.name, given.runs)
    answer(folder, cancel_run(folder), as_json=given.json)


def answer(folder: "RunFolder", said: str, *, as_json: bool) -> None:
    """Print what became of a run, a line for people or JSON."""
    print(json.dumps({"run": folder.name, "folder": str(folder.path), "message": said}) if as_json else said)
