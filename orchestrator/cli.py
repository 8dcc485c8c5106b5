"""The command line. Exit code 0: done; 2: a mistake of the user's; 1: a failure; 130: interrupted.

Imports only what parsing needs, so that --help answers at once; each command imports its own part when it runs.
"""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.cluster.commands import add_cluster_commands
from orchestrator.errors import RaisedByTask, RunFailed, UserError
from orchestrator.options import (
    add_cluster_option,
    add_command,
    add_executor_option,
    add_place_options,
    add_run_options,
    add_shared_options,
    positive,
)
from orchestrator.runs.audit_command import add_audit_command
from orchestrator.runs.try_command import add_try_command
from orchestrator.simulation.simulate_command import add_simulate_command

if TYPE_CHECKING:  # for annotations only: importing them costs seconds
    from orchestrator.history.run_contents import Audit
    from orchestrator.history.run_folder import RunFolder
    from orchestrator.runs.driver import OpenSession
    from orchestrator.specs.experiment import Experiment
    from orchestrator.specs.specs import SearchSpec


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    signal.signal(signal.SIGTERM, _interrupt)
    given = _parser().parse_args(words)
    try:
        return int(given.run(given) or 0)
    except RaisedByTask as error:
        raise error.error from None  # with its whole traceback, for people and for `python -m pdb`
    except ValueError as error:  # UserError, and what the commands of other packages raise for a mistake
        print(error, file=sys.stderr)
        return 2
    except RunFailed as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"{error.filename or ''}: {error.strerror}; what was written before is whole", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing is lost: the same command goes on", file=sys.stderr)
        return 130


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orchestrate", description="Search, retrain and test classifiers; nothing is lost on the way."
    )
    parser.add_argument("--version", action="version", version=f"orchestrate {metadata.version('orchestrate')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    plan = add_command(commands, "plan", _plan, "show what a search space or an experiment would do; start nothing")
    plan.add_argument("file", type=Path, metavar="FILE", help="a YAML of search_spaces/ or experiments/")
    plan.add_argument("--runs", type=Path, metavar="DIR", help="earlier runs, from which the hours are forecast")
    add_cluster_option(plan)

    add_try_command(commands, say=partial(print, flush=True))

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

    run = add_command(commands, "run", _run, "run an experiment, or go on with it: stages, final, test, MLflow")
    run.add_argument("file", type=Path, metavar="FILE", help="the experiment (YAML)")
    run.add_argument("--reopen", action="store_true", help="test although another run tested on this data; marked")
    add_run_options(run)
    add_place_options(run)

    status = add_command(commands, "status", _status, "show where runs stand")
    status.add_argument("name", nargs="?", metavar="RUN", help="one run; without it, all of them")
    status.add_argument("--watch", action="store_true", help="show the run again and again until it is over")
    add_shared_options(status)

    resume = add_command(commands, "resume", _resume, "go on with a run from its journal")
    resume.add_argument("name", metavar="RUN")
    add_executor_option(resume)
    add_shared_options(resume)

    consolidate = add_command(
        commands, "consolidate", _consolidate, "write and print the table of a run, or of several as one"
    )
    consolidate.add_argument("names", nargs="+", metavar="RUN")
    add_shared_options(consolidate)

    text = "make a run's winner one model, retrained over seeds or averaged, test it once, log it to MLflow"
    retrain = add_command(commands, "retrain", _retrain, text)
    retrain.add_argument("name", metavar="RUN", help="an experiment has its own final")
    retrain.add_argument("--seeds", type=positive, default=3, metavar="N", help="how many seeds (default 3)")
    average = "instead, average the fits that were judged: the winner's, or of all that tie with the best"
    retrain.add_argument("--average", choices=("winner", "ties"), help=average)
    retrain.add_argument("--reopen", action="store_true", help="open the test part again; the result is marked")
    add_shared_options(retrain)
    add_place_options(retrain)

    add_audit_command(commands, _run_audit)
    add_simulate_command(commands)
    add_cluster_commands(commands)

    for found in metadata.entry_points(group="orchestrate.commands"):
        found.load()(commands, _yaml_of)
    return parser


def _yaml_of(path: Path) -> dict[str, Any]:
    """Read a YAML file for the commands of other packages, as strictly as our own."""
    from orchestrator.specs.strict_yaml import read_with_files

    return dict(read_with_files(path).data)


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


def _search(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import new_run
    from orchestrator.specs.reading import read_search

    folder = new_run(given.name, given.runs, otherwise=given.space.stem)
    changes = {name: value for name in ("trials", "concurrency") if (value := getattr(given, name)) is not None}
    spec = read_search(given.space).model_copy(update=changes)
    _run_search(spec, folder, given)


def _run_search(spec: "SearchSpec", folder: "RunFolder", given: argparse.Namespace) -> None:
    from orchestrator.results.report import search_report

    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_search

        follow(folder, submit_search(spec, folder, read_profile(given.cluster)), quiet=given.json)
        print(search_report(folder, as_json=given.json))
    else:
        from orchestrator.runs.driver import drive_search

        _prepare([spec], given)
        logged = drive_search(spec, folder, _here(folder, given, [spec]))
        print(search_report(folder, as_json=given.json, logged=logged))


def _run(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import new_run
    from orchestrator.specs.experiment import Experiment

    folder = new_run(given.name, given.runs, otherwise=given.file.stem)
    experiment = Experiment.read(given.file)
    _run_experiment(experiment, folder, given, reopen=given.reopen)


def _run_experiment(
    experiment: "Experiment", folder: "RunFolder", given: argparse.Namespace, *, reopen: bool = False
) -> None:
    from orchestrator.results.report import experiment_report
    from orchestrator.runs.driver import drive_experiment
    from orchestrator.runs.preparation import refuse_second_look

    _prepare(list(experiment.searches.values()), given)
    if not reopen and not folder.final.test.exists():
        refuse_second_look(experiment.searches[experiment.candidates[0]], folder.final)
    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_experiment

        said = submit_experiment(experiment, folder, read_profile(given.cluster), reopen=reopen)
        follow(folder, said, quiet=given.json)
        print(experiment_report(experiment, folder, as_json=given.json))
    else:
        here = _here(folder, given, list(experiment.searches.values()))
        logged = drive_experiment(experiment, folder, here, reopen=reopen, afresh=reopen)
        print(experiment_report(experiment, folder, as_json=given.json, logged=logged))


def _run_audit(audit: "Audit", folder: "RunFolder", given: argparse.Namespace) -> None:
    from orchestrator.runs.audit_report import audit_report
    from orchestrator.runs.driver import drive_audit

    specs = list(audit.experiment.searches.values())
    _prepare(specs, given)
    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_audit

        follow(folder, submit_audit(audit, folder, read_profile(given.cluster)), quiet=given.json)
    else:
        drive_audit(audit, folder, _here(folder, given, specs))
    print(audit_report(folder, as_data=given.json))


def _resume(given: argparse.Namespace) -> None:
    from orchestrator.history.run_contents import audit_of, experiment_of, search_of
    from orchestrator.history.run_folder import existing_run

    folder = existing_run(given.name, given.runs)
    if (folder.path / "cluster").exists():
        from orchestrator.cluster.submit import submit_again

        if given.executor != "ray":
            raise UserError(f"--executor: {folder.name} runs on a cluster, where its profile says how; leave it out")

        print(submit_again(folder))
    elif audit := audit_of(folder):
        _run_audit(audit, folder, given)
    elif experiment := experiment_of(folder):
        _run_experiment(experiment, folder, given)
    else:
        _run_search(search_of(folder), folder, given)


def _retrain(given: argparse.Namespace) -> None:
    from orchestrator.history.run_contents import experiment_of, search_of
    from orchestrator.history.run_folder import existing_run
    from orchestrator.results.report import final_report
    from orchestrator.runs.driver import drive_final
    from orchestrator.runs.preparation import refuse_second_look
    from orchestrator.specs.specs import FinalSpec

    folder = existing_run(given.name, given.runs)
    if experiment := experiment_of(folder):
        _run_experiment(experiment, folder, given, reopen=given.reopen)
        return
    spec = search_of(folder)
    _prepare([spec], given)
    if not given.reopen:
        refuse_second_look(spec, folder.final)
    form = {"form": "judged", "of": given.average} if given.average else {}
    how = FinalSpec.model_validate({"stages": [folder.name], "seeds": given.seeds, **form})
    if given.cluster:
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_retrain

        said = submit_retrain(folder, read_profile(given.cluster), how=how, reopen=given.reopen)
        follow(folder, said, quiet=given.json)
        print(final_report(folder, as_json=given.json))
    else:
        here = _here(folder, given, [spec])
        logged = drive_final(folder, here, how=how, reopen=given.reopen, afresh=given.reopen)
        print(final_report(folder, as_json=given.json, logged=logged))


def _prepare(specs: "Sequence[SearchSpec]", given: argparse.Namespace) -> None:
    """Prepare the data of searches that run here; on a cluster a job does it."""
    from orchestrator.runs.preparation import prepare_data

    if not getattr(given, "cluster", None):
        prepare_data(specs, quiet=given.json)


def _here(folder: "RunFolder", given: argparse.Namespace, specs: "Sequence[SearchSpec]") -> "OpenSession":
    from orchestrator.execution.this_machine import session_here

    return session_here(folder, specs, executor=given.executor, quiet=given.json)


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
    from orchestrator.results.consolidation import consolidate

    folders = [existing_run(name, given.runs) for name in dict.fromkeys(given.names)]
    print(consolidate(folders, as_json=given.json, place=folders[0].path.parent))


if __name__ == "__main__":
    sys.exit(main())
