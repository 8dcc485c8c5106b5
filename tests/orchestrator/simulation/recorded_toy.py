"""Curves of the toy task, recorded by a real search of a finite space, and the files that simulate takes."""

from pathlib import Path
from typing import Any

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.curves import write_curves
from orchestrator.simulation.recorded_task import RecordedTask
from orchestrator.specs.specs import SearchSpec, as_data
from tests.orchestrator.command import written
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

SPACE = {
    "x": {"choice": [-0.5, 0.0, 0.25, 0.9]},
    "y": {"uniform": [0, 1], "step": 0.5},
    "kind": {"choice": ["plain", "bent"]},
    "turns": {"choice": [1, 2], "when": {"kind": "bent"}},
    "max_steps": {"choice": [2, 4]},
}


def finite_spec(**changes: Any) -> SearchSpec:
    return toy_spec(**{"baseline": True, "space": SPACE, **changes})


def recorded_toy(folder: Path, **changes: Any) -> Path:
    """Record every configuration of the space, and return curves.csv."""
    search = run_in_process(open_search(finite_spec(sampler="grid", trials=None, **changes), folder / "recorded"))
    write_curves(search.ledger, RunFolder(folder / "recorded"))
    return folder / "recorded" / "curves.csv"


def space_file(folder: Path, spec: SearchSpec) -> Path:
    return written(folder / "space.yaml", as_data(spec))


def recorded_task(folder: Path, spec: SearchSpec, curves: Path) -> RecordedTask:
    return RecordedTask(space=space_file(folder, spec), curves=curves)
