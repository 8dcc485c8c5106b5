"""Data that a run needs and that its task can make (a recipe's store): made first, before anything is described."""

import contextlib
import sys
from collections.abc import Iterable, Iterator

from orchestrator.errors import UserError
from orchestrator.history.openings import is_opened, refuse_second_opening
from orchestrator.history.run_folder import RunFolder
from orchestrator.history.sealed_part import part_of
from orchestrator.specs.specs import SearchSpec, TaskSpec
from orchestrator.specs.task_loading import load_task, missing_of
from orchestrator.task import Doing, PreparableTask


def lacking(specs: Iterable[SearchSpec]) -> list[str]:
    """Return what has to be prepared before these searches can begin, a line each. Raises UserError if it cannot be."""
    found = (missing_of(load_task(task)) for task in _different(specs))
    return [missing for missing in found if missing is not None]


def prepare_data(specs: Iterable[SearchSpec], *, quiet: bool) -> None:
    """Prepare what these searches lack, one after the other, shown on standard error unless it is to be quiet.

    Raises UserError for what is wrong with the recordings.
    """
    for spec in _different(specs):
        prepare_task(spec, quiet=quiet)


def prepare_task(spec: TaskSpec, *, quiet: bool) -> None:
    """Prepare what one task lacks, as `prepare_data` does."""
    task = load_task(spec)
    if missing_of(task) is None or not isinstance(task, PreparableTask):
        return
    with _shown(quiet=quiet) as doing:
        try:
            task.prepare(doing)
        except ValueError as error:
            raise UserError(*str(error).splitlines()) from None


def refuse_second_look(spec: SearchSpec, final: RunFolder) -> None:
    """Raise UserError, before anything is trained, where the final may not open its test part without `reopen`.

    The final asks again when it opens it (final_run.py); till then another run may have. Of data that is not prepared
    nobody has opened anything.
    """
    if not lacking([spec]) and not is_opened(final):
        refuse_second_opening(part_of(spec), final)


def _different(specs: Iterable[SearchSpec]) -> list[TaskSpec]:
    tasks: list[TaskSpec] = []
    for spec in specs:
        if spec.task not in tasks:
            tasks.append(spec.task)
    return tasks


@contextlib.contextmanager
def _shown(*, quiet: bool) -> Iterator[Doing]:
    """Give what draws a bar on a terminal, and prints a line for each new thing that is done in a pipe."""
    if sys.stderr.isatty() and not quiet:
        with _bar() as doing:
            yield doing
        return
    last = ""

    def said(doing: str, done: int = 0, total: int | None = None) -> None:
        nonlocal last
        if doing != last and not quiet:
            print(doing, file=sys.stderr, flush=True)
        last = doing

    yield said


@contextlib.contextmanager
def _bar() -> Iterator[Doing]:
    from rich.console import Console  # on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("", total=None)

        def drawn(doing: str, done: int = 0, total: int | None = None) -> None:
            bar.update(line, description=doing, completed=done, total=total)

        yield drawn
