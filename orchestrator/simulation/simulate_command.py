"""The command `simulate`. Imports only what parsing needs."""

import argparse
import json
from pathlib import Path
from typing import Any

from orchestrator.options import add_command, positive


def add_simulate_command(commands: Any) -> None:
    """Add `simulate` to the command line."""
    text = "replay recorded learning curves as a task: which sampler, pruner and rule would have found what?"
    command = add_command(commands, "simulate", _simulate, text)
    command.add_argument("space", type=Path, metavar="SPACE", help="the search space (YAML)")
    command.add_argument(
        "--curves", type=Path, required=True, metavar="TABLE", help="the curves.csv of a run of the same task"
    )
    command.add_argument("--searches", type=positive, default=100, metavar="N", help="of each kind (default 100)")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed, the same table (default 0)")
    command.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _simulate(given: argparse.Namespace) -> None:
    from tempfile import TemporaryDirectory

    from orchestrator.errors import UserError
    from orchestrator.simulation.recorded_task import RecordedTask
    from orchestrator.specs.reading import is_experiment

    if is_experiment(given.space):
        raise UserError(f"{given.space}: is an experiment; give the search space of one of its stages")
    task = RecordedTask(space=given.space, curves=given.curves)
    from orchestrator.simulation.simulation_table import as_text, rows_of  # after the files were read: they take time
    from orchestrator.simulation.variants import simulated, true_values

    with TemporaryDirectory(prefix="orchestrate-simulate-") as folder:
        outcomes = list(simulated(task, searches=given.searches, seed=given.seed, folder=Path(folder)))
    best = (max if task.spec.mode == "max" else min)(true_values(task).values())
    rows = rows_of(outcomes, best=best, mode=task.spec.mode)
    print(json.dumps(rows) if given.json else as_text(rows, task, searches=given.searches, best=best))
