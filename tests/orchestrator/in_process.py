"""Searches of the toy task, run by the in-process executor. For tests of what a search decides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.history.records import Record
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.search import Search
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import SearchSpec
from tests.toy_task import ToyTask

TOY = {"name": "tests.toy_task:ToyTask", "with": {}}


def toy_spec(**changes: Any) -> SearchSpec:
    plain = {
        "task": TOY,
        "metric": "score",
        "max_steps": 4,
        "sampler": "tpe",
        "baseline": False,  # most tests count the trials that they name
        "trials": 10,
        "startup_trials": 4,
        "space": {"x": {"uniform": [-1, 1]}, "y": {"uniform": [0, 1], "step": 0.25}},
    }
    return SearchSpec.model_validate({**plain, **changes})


def open_search(
    spec: SearchSpec,
    path: Path,
    *,
    listener: Callable[[Search, Record], None] = lambda _search, _record: None,
    data: str = "toy",
) -> Search:
    return Search(
        spec,
        RunFolder(path),
        facts=TaskFacts(parameters=ToyTask().parameters(), folds=spec.folds or 1, data=data),
        incarnation="test",
        listener=listener,
    )


def run_in_process(search: Search) -> Search:
    InProcessExecutor(keep_output=True).execute(search)
    search.close()
    return search
