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
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import RunFailed

if TYPE_CHECKING:  # for annotations only: importing them costs seconds
    from orchestrator.experiment import Experiment
    from orchestrator.ledger import Ledger
    from orchestrator.run_folder import RunFolder
    from orchestrator.spec import SearchSpec


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    signal.signal(signal.SIGTERM, _interrupt)
    given = _parser().parse_args(words)
    try:
        return int(given.run(given) or 0)
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
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    plan = _command(commands, "plan", _plan, "show what a search space or an experiment would do; start nothing")
    plan.add_argument("file", type=Path, metavar="FILE", help="a YAML of search_spaces/ or experiments/")

    search = _command(commands, "search", _search, "run a search, or go on with it")
    search.add_argument("--space", type=Path, required=True, metavar="FILE", help="the search space (YAML)")
    _add_run_options(search)
    search.add_argument(
        "--trials", type=_positive, metavar="T", help="how many trials in all, instead of the file's number"
    )
    search.add_argument(
        "--concurrency",
        type=_positive,
        metavar="C",
        help="how many fits at a time, instead of the file's number",
    )

    run = _command(commands, "run", _run, "run an experiment, or go on with it: stages, final, test, MLflow")
    run.add_argument("file", type=Path, metavar="FILE", help="the experiment (YAML)")
    run.add_argument("--reopen", action="store_true", help="test although another run tested on this data; marked")
    _add_run_options(run)

    status = _command(commands, "status", _status, "show where runs stand")
    status.add_argument("name", nargs="?", metavar="RUN", help="one run; without it, all of them")
    _add_shared_options(status)

    resume = _command(commands, "resume", _resume, "go on with a run from its journal")
    resume.add_argument("name", metavar="RUN")
    _add_shared_options(resume)

    consolidate = _command(
        commands, "consolidate", _consolidate, "write and print the table of a run, or of several as one"
    )
    consolidate.add_argument("names", nargs="+", metavar="RUN")
    _add_shared_options(consolidate)

    retrain = _command(
        commands, "retrain", _retrain, "retrain a run's winner over seeds, test it once, log it to MLflow"
    )
    retrain.add_argument("name", metavar="RUN")
    retrain.add_argument(
        "--seeds",
        type=_positive,
        default=3,
        metavar="N",
        help="how many seeds (default 3; an experiment has its own)",
    )
    retrain.add_argument("--reopen", action="store_true", help="open the test part again; the result is marked")
    _add_shared_options(retrain)

    for found in metadata.entry_points(group="orchestrate.commands"):
        found.load()(commands, _yaml_of)
    return parser


def _yaml_of(path: Path) -> dict[str, Any]:
    """Read a YAML file for the commands of other packages, as strictly as our own."""
    from orchestrator.strict_yaml import read_yaml

    return dict(read_yaml(path).data)


def _command(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=function)
    return command


def _add_shared_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs", type=Path, metavar="DIR", help="where runs live (default: ORCHESTRATE_RUNS, else ./runs)"
    )
    command.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", metavar="N", help="the run's name (default: the file's)")
    _add_shared_options(command)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def _plan(given: argparse.Namespace) -> None:
    from orchestrator.plan import plan

    for line in plan(given.file):
        print(line)


def _search(given: argparse.Namespace) -> None:
    from orchestrator.reading import read_search
    from orchestrator.run_folder import RunFolder, runs_root

    spec = read_search(given.space)
    changes = {name: value for name in ("trials", "concurrency") if (value := getattr(given, name)) is not None}
    folder = RunFolder(runs_root(given.runs) / (given.name or given.space.stem))
    _run_search(spec.model_copy(update=changes), folder, given)


def _run(given: argparse.Namespace) -> None:
    from orchestrator.experiment import Experiment
    from orchestrator.run_folder import RunFolder, runs_root

    experiment = Experiment.read(given.file)
    folder = RunFolder(runs_root(given.runs) / (given.name or given.file.stem))
    _run_experiment(experiment, folder, given, reopen=given.reopen)


def _resume(given: argparse.Namespace) -> None:
    from orchestrator.experiment import Experiment
    from orchestrator.run_folder import existing_run
    from orchestrator.running import read_ledger

    folder = existing_run(given.name, given.runs)
    if experiment := Experiment.from_run(folder):
        _run_experiment(experiment, folder, given)
    else:
        spec = read_ledger(folder).spec
        assert spec is not None
        _run_search(spec, folder, given)


def _run_search(spec: "SearchSpec", folder: "RunFolder", given: argparse.Namespace) -> None:
    from orchestrator.running import run_search
    from orchestrator.session import open_session
    from orchestrator.status import status_of
    from orchestrator.tracking import log_run

    with open_session(
        folder, quiet=given.json, cpus=spec.concurrency * spec.cpus_per_fit, threads=spec.cpus_per_fit
    ) as session:
        ledger = run_search(spec, folder, session)
    logged = log_run(folder)
    if given.json:
        print(json.dumps([status.as_data() for status in status_of(folder)]))
        return
    print(_short_table(folder, ledger))
    print(f"table {folder.table_csv}\nMLflow {logged}")


def _run_experiment(
    experiment: "Experiment", folder: "RunFolder", given: argparse.Namespace, *, reopen: bool = False
) -> None:
    from orchestrator.experiment import run_experiment
    from orchestrator.openings import refuse_second_opening
    from orchestrator.report import experiment_report
    from orchestrator.running import data_of
    from orchestrator.session import open_session
    from orchestrator.tracking import log_run

    if not reopen and not folder.final.test.exists():
        refuse_second_opening(data_of(experiment.searches[experiment.candidates[0]]), folder.final)
    threads = max(spec.cpus_per_fit for spec in experiment.searches.values())
    with open_session(folder, quiet=given.json, cpus=experiment.cpus, threads=threads) as session:
        tested = run_experiment(experiment, folder, session, reopen=reopen)
    logged = log_run(folder, tuple(experiment.searches))
    print(json.dumps(tested) if given.json else f"{experiment_report(experiment, folder, tested)}\nMLflow {logged}")


def _status(given: argparse.Namespace) -> None:
    from orchestrator.run_folder import existing_run, runs_root
    from orchestrator.status import all_runs, status_of

    folders = [existing_run(given.name, given.runs)] if given.name else all_runs(runs_root(given.runs))
    if given.json:
        print(json.dumps({folder.name: [status.as_data() for status in status_of(folder)] for folder in folders}))
        return
    for folder in folders:
        for status in status_of(folder):
            prefix = "" if status.run == folder.name else f"{folder.name}/"
            print(f"{prefix}{status.line()}")
    if not folders:
        print(f"no runs in {runs_root(given.runs)}")


def _consolidate(given: argparse.Namespace) -> None:
    from orchestrator.report import consolidate
    from orchestrator.run_folder import existing_run

    print(consolidate([existing_run(name, given.runs) for name in given.names], as_json=given.json))


def _retrain(given: argparse.Namespace) -> None:
    from orchestrator.experiment import Experiment
    from orchestrator.final import retrain
    from orchestrator.openings import refuse_second_opening
    from orchestrator.report import test_lines
    from orchestrator.run_folder import existing_run
    from orchestrator.running import data_of, read_ledger
    from orchestrator.session import open_session
    from orchestrator.table import write_tables
    from orchestrator.tracking import log_run

    folder = existing_run(given.name, given.runs)
    experiment = Experiment.from_run(folder)
    spec = experiment.searches[experiment.candidates[0]] if experiment else read_ledger(folder).spec
    assert spec is not None
    if not given.reopen:
        refuse_second_opening(data_of(spec), folder.final)
    if experiment:
        _run_experiment(experiment, folder, given, reopen=given.reopen)
        return
    with open_session(
        folder, quiet=given.json, cpus=spec.concurrency * spec.cpus_per_fit, threads=spec.cpus_per_fit
    ) as session:
        tested = retrain(folder, folder.final, seeds=given.seeds, session=session, reopen=given.reopen)
        write_tables(read_ledger(folder), folder, alive=False)
    logged = log_run(folder)
    print(json.dumps(tested) if given.json else "\n".join([*test_lines(tested), f"MLflow {logged}"]))


def _short_table(folder: "RunFolder", ledger: "Ledger") -> str:
    from orchestrator.table import rows_of, table_markdown

    assert ledger.spec is not None
    rows = {folder.name: rows_of(ledger, alive=False)}
    return table_markdown(rows, title=folder.name, mode=ledger.spec.mode, most=10)


if __name__ == "__main__":
    sys.exit(main())
