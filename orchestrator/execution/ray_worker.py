"""What a worker process of Ray's does: run one fit after the other, or call one method of a task. Imports no Ray."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

from orchestrator.execution.one_fit import run_fit
from orchestrator.execution.ray_watch import lives
from orchestrator.execution.retiring import JOB, park_if_retiring
from orchestrator.specs.specs import TaskSpec
from orchestrator.specs.task_loading import load_task
from orchestrator.task import Metrics, Task, fit_from_json

_tasks: dict[str, Task] = {}  # a worker outlives the fits that it is sent, and constructs each task once


class Unusable(RuntimeError):
    """Ends a worker process whose state nobody knows, after it has said why."""


def fit_in_worker(config: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
    """Run the fit that the driver handed over; tell it each step, and how it ended, where it did not just return."""
    _die_with(config["driver"])
    fit = fit_from_json(config["fit"])

    def report(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        plain = {name: float(value) for name, value in metrics.items()}
        tell({"step": step, "metrics": json.dumps(plain), "checkpoint": checkpoint or ""})
        park_if_retiring()

    if JOB in os.environ:  # when the fit is lost, its driver can look up what became of the job
        tell({"worker": os.environ[JOB]})
    park_if_retiring()
    ending = run_fit(_task(config["task"]), fit, report)
    if ending.kind != "returned":
        tell({"ending": ending.kind, "message": ending.message, "failure": ending.failure or ""})
    if ending.kind == "lost":
        raise Unusable(ending.message)


def call_in_worker(task: str, method: str, values: Sequence[Any], driver: int) -> Any:
    """Call one method of the task and return what it returns."""
    _die_with(driver)
    return getattr(_task(task), method)(*values)


def _task(text: str) -> Task:
    if text not in _tasks:
        _tasks[text] = load_task(TaskSpec.model_validate_json(text))
    return _tasks[text]


def _die_with(driver: int) -> None:
    """End this process soon after the driver's end: kill -9 leaves no time for anybody to tell it."""
    if not driver or any(thread.name == "die-with-driver" for thread in threading.enumerate()):
        return

    def watch() -> None:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(driver)
            while lives(process):
                time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="die-with-driver", daemon=True).start()
