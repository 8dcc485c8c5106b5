"""What one command brings to every search that it runs: a private Ray, a progress display, an incarnation id."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.local_ray import local_ray
from orchestrator.progress import Progress
from orchestrator.run_folder import RunFolder
from orchestrator.search import Search
from orchestrator.spec import TaskSpec


@dataclass(frozen=True, kw_only=True)
class Session:
    """An open session.

    The executor is imported here, after local_ray has set the environment that Ray reads on import.
    """

    temp: Path  # Ray's temporary folder
    progress: Progress
    incarnation: str  # which start of the driver wrote a record

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left, or its budget is spent."""
        from orchestrator.executor import execute

        if not search.is_finished:
            execute(search, self.temp)

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task in a worker process, and return what it returns."""
        from orchestrator.executor import call

        return call(task, method, *values)


@contextlib.contextmanager
def open_session(folder: RunFolder, *, quiet: bool, cpus: int, threads: int) -> Iterator[Session]:
    """Open a session for one run, for so many CPUs and so many threads of each fit."""
    folder.create()
    with Progress(quiet=quiet) as progress, local_ray(folder, cpus=cpus, threads=threads) as temp:
        yield Session(temp=temp, progress=progress, incarnation=uuid.uuid4().hex[:12])
