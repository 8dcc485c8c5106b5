"""The executor to debug with: fits run one after the other in this process, and print where one sees it.

Nothing else is different: the same journal, the same decisions, a failed fit is a failed trial with its error.txt.
"""

import contextlib
import os
import traceback
from bdb import BdbQuit
from collections.abc import Iterator
from typing import Any

from orchestrator.errors import RunFailed, UserError, is_users_mistake, text_of
from orchestrator.execution.one_fit import MAKE_ROOM, run_fit
from orchestrator.history.failures import Failure
from orchestrator.history.records import FitKey
from orchestrator.interrupts import is_command, is_told_to_end
from orchestrator.search.search import Search
from orchestrator.specs.specs import TaskSpec
from orchestrator.specs.task_loading import load_task
from orchestrator.task import Fit, Metrics, Task

THREADS = "OMP_NUM_THREADS"


@contextlib.contextmanager
def in_process(*, threads: int, keep_output: bool = False) -> Iterator["InProcessExecutor"]:
    """Give what executes searches here, with `threads` threads for each fit; keep_output: in the fits' folders."""
    with with_threads(threads):
        yield InProcessExecutor(keep_output=keep_output)


@contextlib.contextmanager
def with_threads(count: int) -> Iterator[None]:
    """Let libraries that are imported in the block compute with so many threads, as in a worker of Ray's."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = str(count)
    try:
        yield
    finally:
        os.environ.pop(THREADS)
        if before is not None:
            os.environ[THREADS] = before


class InProcessExecutor:
    """Runs one fit at a time, whatever the spec's concurrency."""

    def __init__(self, *, keep_output: bool = False) -> None:
        self._keep_output = keep_output
        self._tasks: dict[str, Task] = {}  # constructed once, as in a worker

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left.

        Raises what the search raised, KeyboardInterrupt where somebody left the debugger, and RunFailed for what
        leaves a process in an unknown state (under Ray the worker dies, and another one tries again). A fit that
        hangs is ended by nobody.
        """
        task = self._task(search.spec.task)
        while following := search.next_fit():
            key, fit = following
            fit.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._run(search, task, key, fit)

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task here and return what it returns.

        Raises UserError for a user's mistake, or an OSError, of the task's, RunFailed for any other failure.
        """
        try:
            return getattr(self._task(task), method)(*values)
        except BdbQuit:
            raise KeyboardInterrupt from None
        except Exception as error:
            if is_users_mistake(error) or isinstance(error, OSError):
                raise UserError(*str(error).splitlines()) from error
            raise RunFailed(f"{task.name}.{method} failed:\n{traceback.format_exc()}") from error

    def _run(self, search: Search, task: Task, key: FitKey, fit: Fit) -> None:
        refused: list[Exception] = []  # by the search, which is no failure of the task's

        def report(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
            plain = {name: float(value) for name, value in metrics.items()}
            try:
                stop = search.reported(key, step, plain, checkpoint)
            except Exception as error:
                refused.append(error)
                stop = True
            if stop:
                raise Stopped

        try:
            ending = run_fit(task, fit, report, keep_output=self._keep_output)
        except Stopped:
            if refused:
                raise refused[0] from None
            search.returned(key)
            return
        except SystemExit as error:  # the task's: under Ray its worker would die of it
            search.lost(key, f"SystemExit: {text_of(error)}")
            return
        except BdbQuit:
            raise KeyboardInterrupt from None
        if is_command() and is_told_to_end():  # and the task has caught what that raised in it
            raise KeyboardInterrupt
        match ending.kind:
            case "disk_full":
                raise RunFailed(f"{ending.message}; {MAKE_ROOM}")
            case "lost" if ending.failure is Failure.GPU_MEMORY:  # which PyTorch survives
                search.lost(key, ending.message, ending.failure)
            case "lost":
                search.lost(key, ending.message, ending.failure or Failure.WORKER)  # once too often, it has failed
                raise RunFailed(f"{fit.directory}: this process cannot go on: {ending.failure}: {ending.message}")
            case "failed":
                search.failed(key, ending.message)
            case "returned":
                search.returned(key)

    def _task(self, spec: TaskSpec) -> Task:
        text = spec.model_dump_json(by_alias=True)
        if text not in self._tasks:
            self._tasks[text] = load_task(spec)
        return self._tasks[text]


class Stopped(SystemExit):
    """What a fit that must stop gets out of `report`, as from Ray: no `except Exception` of the task's catches it."""
