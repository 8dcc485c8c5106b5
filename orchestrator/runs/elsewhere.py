"""A run's final model tested on other data, such as another hospital's, without anything being trained.

A run of its own in `RUN/elsewhere/NAME/`, whose journal says what was asked, and the opening of a sealed part before it
happens: the same question after a crash is the same opening, any other opening must be asked for.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.atomic import read_json, write_json
from orchestrator.errors import UserError
from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.history.driver_lock import hold
from orchestrator.history.journal import Journal, read_journal
from orchestrator.history.openings import note_on, openings_alone, openings_of, refuse_second_opening, write_part
from orchestrator.history.records import SearchBegun, TestOpened
from orchestrator.history.run_contents import search_of
from orchestrator.history.run_folder import FINAL, RunFolder
from orchestrator.history.sealed_part import SealedPart
from orchestrator.names import run_name_mistake
from orchestrator.results.elsewhere_table import model_of
from orchestrator.runs.final_run import set_aside
from orchestrator.runs.preparation import prepare_task
from orchestrator.specs.specs import TaskSpec
from orchestrator.specs.task_loading import path_arguments, task_class_of
from orchestrator.task import Foreseen, TransferableTask

PARTS = ("all", "sealed", "open")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which model is tested on which data."""

    run: RunFolder
    data: Path  # what the task calls `data`: a folder, or a recipe's YAML
    part: str = "all"
    labels: Path | None = None
    name: str | None = None  # None: the data's

    @property
    def place(self) -> RunFolder:
        """Return where the test lies. Raises UserError for a name that cannot be a folder's."""
        name = self.data.absolute().stem if self.name is None else self.name
        if mistake := run_name_mistake(name) or (name.startswith(FINAL) and f"must not begin with {FINAL}, got {name}"):
            raise UserError(f"the test's name {mistake}; choose one with --name")
        return self.run.elsewhere(name)

    def task(self) -> TaskSpec:
        """Return the run's task on the other data. Raises UserError where the run has no model, or its task cannot."""
        final = self.run.final
        if not (final.model.exists() and final.test.exists()):
            raise UserError(f"{self.run.path}: has no final model that is tested; `orchestrate retrain` makes one")
        spec = search_of(final).task
        task_class = task_class_of(spec.name)
        if not (issubclass(task_class, TransferableTask) and "data" in path_arguments(task_class)):
            raise UserError(
                f"{spec.name}: cannot test its models on other data: no `foresee` and `test_model`, or no `data`"
            )
        return spec.model_copy(update={"with_": {**spec.with_, "data": str(self.data.absolute())}})


def tested_elsewhere(asked: Asked, *, reopen: bool, quiet: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Test a run's final model on other data, which is prepared first where a recipe says how; return test.json.

    A test that is done is returned as it is. reopen: whether sealed records may be opened that were opened before; an
    earlier test of the same name that asked another question is then set aside, as it is where nothing is sealed.
    Raises UserError for all that keeps model and data apart, before anything is opened or written.
    """
    place, task, here = asked.place, asked.task(), InProcessExecutor()
    prepare_task(task, quiet=quiet)
    model, own = asked.run.final.model, asked.run.final.path
    foreseen: Foreseen = here.call(task, "foresee", model, asked.part, asked.labels)
    records = frozenset(here.call(task, "sealed_records")) if foreseen.opens else frozenset()
    register = here.call(task, "openings_file") if foreseen.opens else None
    part = SealedPart(data=foreseen.data, records=records, register=register)
    spec = _question(asked, task, foreseen, part)
    changed = _begun(place) not in (None, spec)
    if place.test.exists() and not changed:
        return read_test_elsewhere(place)
    if foreseen.opens and not reopen:
        refuse_second_opening(part, place, for_another=changed)
    if changed:
        set_aside(place)
    place.create()
    with hold(place), _journal(place) as journal:
        if not journal.entries:
            journal.append(SearchBegun(spec=spec))
        if foreseen.opens:
            _open(journal, place, part, reopen=reopen, say=say)
        try:
            tested = here.call(task, "test_model", model, place.path, asked.part, asked.labels, own)
        except UserError:
            if not foreseen.opens:  # nothing is left of what never was; an opening is for ever
                shutil.rmtree(place.path)
            raise
        write_json(
            place.test,
            {
                "data": str(asked.data.absolute()),
                "part": asked.part,
                "metrics": dict(tested.metrics),
                "own": dict(tested.own),
                "openings": len(openings_of(part, place)) if foreseen.opens else 0,
                "note": "",
                "said": list(tested.said),
                **tested.facts,
                "tested_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "model": spec["elsewhere"]["model"],
            },
        )
    return read_test_elsewhere(place)


def read_test_elsewhere(place: RunFolder) -> dict[str, Any]:
    """Return test.json of such a test, with the count of openings as it is today."""
    tested: dict[str, Any] = read_json(place.test)
    if not tested["openings"]:
        note = (
            "no sealed record is among these: open ones can be tested again and again, and a chosen score is too good"
        )
        return {**tested, "note": note}
    told = read_json(place.sealed_part)
    part = SealedPart(data=None, records=frozenset(told["records"]), register=Path(told["register"]))
    number = max(len(openings_of(part, place)), tested["openings"])
    return {**tested, "openings": number, "note": note_on(number)}


def _question(asked: Asked, task: TaskSpec, foreseen: Foreseen, part: SealedPart) -> dict[str, Any]:
    """Return what is asked, by content: with another model, part, label map or data it is another test."""
    return {
        "elsewhere": {
            "task": task.name,
            "model": model_of(asked.run.final),
            "part": asked.part,
            "labels": asked.labels and hashlib.sha256(asked.labels.read_bytes()).hexdigest(),
            "sealed": hashlib.sha256("\n".join(sorted(part.records)).encode()).hexdigest() if part.records else None,
        },
        "facts": {"data": foreseen.data},
    }


def _begun(place: RunFolder) -> Mapping[str, Any] | None:
    first = next((record for record, _at in read_journal(place.journal)), None)
    return first.spec if isinstance(first, SearchBegun) else None


def _open(journal: Journal, place: RunFolder, part: SealedPart, *, reopen: bool, say: Callable[[str], None]) -> None:
    """Journal that sealed records are opened, unless that is known, and write it beside the data."""
    with openings_alone(part, place) as problem:
        if problem:
            say(f"{problem}: the opening of the test part counts in this folder of runs alone")
        if not any(isinstance(record, TestOpened) for record, _at in journal.entries):
            if not reopen:
                refuse_second_opening(part, place)
            write_part(part, place)
            journal.append(TestOpened(final=place.name, checkpoints=(str(RunFolder(Path(FINAL)).model),)))


@contextmanager
def _journal(place: RunFolder) -> Iterator[Journal]:
    journal = Journal(place.journal)
    try:
        yield journal
    finally:
        journal.close()
