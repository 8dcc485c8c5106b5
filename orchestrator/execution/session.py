"""What one command brings to every search that it runs: an executor, a progress display, an incarnation id."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any, Protocol

from orchestrator.execution.progress import Progress
from orchestrator.history.driver_lock import hold
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.search import Search
from orchestrator.specs.specs import TaskSpec


class Executor(Protocol):
    """Whatever runs the fits of a search."""

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left, or its budget is spent."""

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task in a worker process, and return what it returns."""


class Session:
    """An open session. Its executor is started when the first fit needs it: a finished run is read in no time."""

    def __init__(
        self,
        executor: contextlib.AbstractContextManager[Executor],
        exits: contextlib.ExitStack,
        progress: Progress,
        incarnation: str,
    ) -> None:
        self.progress = progress
        self.incarnation = incarnation  # tells in the journal which start of the driver wrote a record
        self._starting = executor
        self._exits = exits
        self._executor: Executor | None = None

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left, or its budget is spent."""
        if not search.is_finished and not search.spending.is_over:
            self._started().execute(search)

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task in a worker process, and return what it returns."""
        return self._started().call(task, method, *values)

    def _started(self) -> Executor:
        if self._executor is None:
            self._executor = self._exits.enter_context(self._starting)
        return self._executor


@contextlib.contextmanager
def open_session(
    folder: RunFolder,
    executor: contextlib.AbstractContextManager[Executor],
    *,
    quiet: bool,
    live: bool = True,
    incarnation: str | None = None,
    take_over: bool = False,
) -> Iterator[Session]:
    """Open a session for one run. live: with a table that moves, where there is a terminal for it.

    take_over: whoever else drives it is known to be dead or cut off.
    """
    folder.create()
    with contextlib.ExitStack() as exits:
        exits.enter_context(hold(folder, take_over=take_over))
        progress = exits.enter_context(Progress(quiet=quiet, live=live))
        yield Session(executor, exits, progress, incarnation or uuid.uuid4().hex[:12])
