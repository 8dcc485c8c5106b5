"""What one command brings to every search that it runs: a private Ray, a progress display, an incarnation id."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.driver_lock import hold
from orchestrator.local_ray import clear_leftovers, local_ray
from orchestrator.progress import Progress
from orchestrator.run_folder import RunFolder
from orchestrator.search import Search
from orchestrator.spec import TaskSpec


class Session:
    """An open session. Ray is started when the first fit needs it: a run that is finished is read in no time.

    The executor is imported in the methods, after local_ray has set the environment that Ray reads on import.
    """

    def __init__(
        self, ray: contextlib.AbstractContextManager[Path], exits: contextlib.ExitStack, progress: Progress
    ) -> None:
        self.progress = progress
        self.incarnation = uuid.uuid4().hex[:12]  # tells in the journal which start of the driver wrote a record
        self._ray = ray
        self._exits = exits
        self._temp: Path | None = None

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left, or its budget is spent."""
        if search.is_finished or search.is_out_of_budget:
            return
        temp = self._started()
        from orchestrator.executor import execute

        execute(search, temp)

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task in a worker process, and return what it returns."""
        self._started()
        from orchestrator.executor import call

        return call(task, method, *values)

    def _started(self) -> Path:
        if self._temp is None:
            self._temp = self._exits.enter_context(self._ray)
        return self._temp


@contextlib.contextmanager
def open_session(folder: RunFolder, *, quiet: bool, cpus: int, threads: int) -> Iterator[Session]:
    """Open a session for one run, for so many CPUs and so many threads of each fit."""
    folder.create()
    with contextlib.ExitStack() as exits:
        exits.enter_context(hold(folder))
        clear_leftovers(folder)
        progress = exits.enter_context(Progress(quiet=quiet))
        yield Session(local_ray(folder, cpus=cpus, threads=threads), exits, progress)
