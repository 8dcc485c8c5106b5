"""The smallest executor there is: fits run one after the other in this process. For tests of what a search decides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.history.records import Record
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.search import Search
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Metrics
from tests.toy_task import ToyTask

TOY = {"name": "tests.toy_task:ToyTask", "with": {}}


class StoppedError(Exception):
    """What SystemExit is under Ray: the fit does not come back from its report."""


def toy_spec(**changes: Any) -> SearchSpec:
    plain = {
        "task": TOY,
        "metric": "score",
        "max_steps": 4,
        "sampler": "tpe",
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
    task = ToyTask()
    while following := search.next_fit():
        key, fit = following
        fit.directory.mkdir(parents=True, exist_ok=True)

        def report(step: int, metrics: Metrics, checkpoint: str | None = None, key: Any = key) -> None:
            if search.reported(key, step, metrics, checkpoint):
                raise StoppedError

        try:
            task.fit(fit, report)
        except StoppedError:
            search.returned(key)
        except UserError:
            raise  # of the search, not of the task
        except ValueError as error:
            search.failed(key, f"ValueError: {error}")
        else:
            search.returned(key)
    search.close()
    return search
