"""A session driven from this machine, with the executor that was asked for and room for the widest of the searches."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from orchestrator.execution.existing_ray import existing_ray
from orchestrator.execution.in_process import in_process
from orchestrator.execution.local_ray import local_ray
from orchestrator.execution.session import Session, open_session
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import SearchSpec


def session_here(
    folder: RunFolder, specs: Sequence[SearchSpec], *, executor: str, ray: str | None = None, quiet: bool
) -> Callable[[], AbstractContextManager[Session]]:
    """Return what opens the session; executor: ray or in-process, whose fits share the terminal with no live table.

    ray: the address of a Ray that exists, which runs the fits in place of one of our own.
    """
    threads = max(spec.cpus_per_fit for spec in specs)
    if executor == "in-process":
        here = in_process(threads=threads, keep_output=quiet)
        return lambda: open_session(folder, here, quiet=quiet, live=False)
    if ray:
        concurrency = max(spec.concurrency for spec in specs)
        there = existing_ray(folder, ray, concurrency=concurrency, threads=threads)
        return lambda: open_session(folder, there, quiet=quiet)
    cpus = max(spec.concurrency * spec.cpus_per_fit for spec in specs)
    return lambda: open_session(folder, local_ray(folder, cpus=cpus, threads=threads), quiet=quiet)
