"""A session on this machine, with the executor that was asked for and room for the widest of the searches."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from orchestrator.execution.in_process import in_process
from orchestrator.execution.local_ray import local_ray
from orchestrator.execution.session import Session, open_session
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import SearchSpec


def session_here(
    folder: RunFolder, specs: Sequence[SearchSpec], *, executor: str, quiet: bool
) -> Callable[[], AbstractContextManager[Session]]:
    """Return what opens the session; executor: ray or in-process, whose fits share the terminal with no live table."""
    threads = max(spec.cpus_per_fit for spec in specs)
    if executor == "in-process":
        here = in_process(threads=threads, keep_output=quiet)
        return lambda: open_session(folder, here, quiet=quiet, live=False)
    cpus = max(spec.concurrency * spec.cpus_per_fit for spec in specs)
    return lambda: open_session(folder, local_ray(folder, cpus=cpus, threads=threads), quiet=quiet)
