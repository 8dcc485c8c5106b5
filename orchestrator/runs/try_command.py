"""The command `try`. Imports only what parsing needs."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.options import add_command, add_runs_option, positive


def add_try_command(commands: Any, *, say: Callable[[str], None]) -> None:
    """Add `try` to the command line; it says what it does line by line."""
    text = "run the first fit of a search space here, in this process, and keep nothing: to debug a task"
    command = add_command(commands, "try", partial(_try, say), text)
    command.add_argument("space", type=Path, metavar="SPACE", help="the search space (YAML)")
    command.add_argument("--steps", type=positive, metavar="N", help="end after so many steps")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a hyperparameter's value, in place of the first configuration's; may be given again",
    )
    command.add_argument(
        "--start-from", type=Path, metavar="CHECKPOINT", help="weights of an earlier stage, which `train: head` needs"
    )
    add_runs_option(command)


def _try(say: Callable[[str], None], given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import RunFolder, runs_root
    from orchestrator.specs.reading import is_experiment, read_search
    from orchestrator.specs.strict_yaml import read_scalars

    changes = read_scalars(given.set, option="--set")
    if is_experiment(given.space):
        raise UserError(f"{given.space}: is an experiment; give the search space of one of its stages")
    spec, folder = read_search(given.space), RunFolder(runs_root(given.runs) / given.space.stem)
    from orchestrator.runs.first_fit import run_first_fit  # after the file was read: a mistake in it is told at once
    from orchestrator.runs.preparation import prepare_data

    prepare_data([spec], quiet=False)
    run_first_fit(spec, folder, changes=changes, steps=given.steps, start_from=given.start_from, say=say)
