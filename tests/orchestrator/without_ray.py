"""The command line without a Ray: fits run one after the other in the process that drives them.

    python -m tests.orchestrator.without_ray orchestrate's own words ...

For tests of what commands make of a run. What Ray does with fits is tested in execution/, faults/ and test_whole_way.
"""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from subprocess import CompletedProcess
from typing import Any
from unittest import mock

from orchestrator import cli
from orchestrator.errors import UserError
from orchestrator.execution import local_ray
from orchestrator.execution.one_fit import Ending, run_fit
from orchestrator.search.search import Search
from orchestrator.specs.specs import TaskSpec
from orchestrator.specs.task_loading import load_task
from orchestrator.task import Fit, Metrics, Task


class OneProcess:
    """Runs fits here."""

    def execute(self, search: Search) -> None:
        task = load_task(search.spec.task)
        while following := search.next_fit():
            key, fit = following
            fit.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            ending = _run(task, fit, lambda *told, key=key: search.reported(key, *told))
            if ending.kind == "failed":
                search.failed(key, ending.message)
            else:
                search.returned(key)

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        try:
            return getattr(load_task(task), method)(*values)
        except (ValueError, OSError) as error:
            raise UserError(*str(error).splitlines()) from None


def _run(task: Task, fit: Fit, reported: Any) -> Ending:
    def report(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        if reported(step, metrics, checkpoint):
            raise SystemExit  # as under Ray: the fit does not come back from its report

    try:
        return run_fit(task, fit, report)
    except SystemExit:
        return Ending(kind="returned")


@contextlib.contextmanager
def no_ray(*, cpus: int, threads: int) -> Iterator[OneProcess]:
    yield OneProcess()


def main(words: list[str]) -> int:
    with mock.patch.object(local_ray, "local_ray", no_ray):
        return cli.main(words)


def orchestrate_here(*words: object, **environment: str) -> CompletedProcess[str]:
    """Run a command in this process, as a user would see it."""
    out, err, on_terminate = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        with (
            mock.patch.dict(os.environ, environment),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([str(word) for word in words])
    finally:
        signal.signal(signal.SIGTERM, on_terminate)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
