"""The final: the winner made one model, tested once, exported (final_members.py: of which fits it consists).

It is a run of its own in `final/`, with the journal of a search. The opening of the test part is journaled before it
happens, under a lock that all runs share: the same checkpoints after a crash are the same opening, any other opening
must be asked for.
"""

import contextlib
import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.atomic import write_json, write_text
from orchestrator.errors import RunFailed, UserError
from orchestrator.execution.session import Session
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.openings import (
    note_on,
    openings_alone,
    openings_of,
    part_opened_by,
    read_test,
    refuse_second_opening,
    write_part,
)
from orchestrator.history.records import State
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.history.sealed_part import part_of
from orchestrator.history.spec_hash import spec_hash
from orchestrator.runs.beside import Companion, made_beside
from orchestrator.runs.final_members import final_spec, members_of, own_checkpoints, take_over
from orchestrator.runs.notification import telling_of_failures
from orchestrator.runs.starting import content_of, start_from_of
from orchestrator.search.lineage import Lineage, from_nothing
from orchestrator.search.search import Search
from orchestrator.search.selection import Contender, Winner, winner_among
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import FinalSpec, SearchSpec, as_data, differences
from orchestrator.specs.strict_yaml import write_yaml
from orchestrator.specs.task_loading import prepared_task
from orchestrator.task import ScepticalTask


def make_final(
    sources: Sequence[RunFolder],
    final: RunFolder,
    *,
    how: FinalSpec,
    session: Session,
    reopen: bool = False,
    stages: Sequence[RunFolder] = (),
) -> dict[str, Any]:
    """Make the winner of the searches one model in `final`, test and export it; return the content of test.json.

    stages: those of the experiment, of which the final names some that are tested beside the winner (beside.py).

    A final that is already tested is returned as it is; one that was begun, and is another or failed, is set aside.

    reopen: whether that may be where it has opened the test part, and whether this one may where others have. Raises
    UserError without it.
    """
    winner, chosen, ties = winner_among([(read_ledger(source), source) for source in sources])
    members = members_of(chosen, ties, how)
    _make_room(final, final_spec(members, how), reopen=reopen)
    with made(members, final, how=how, session=session) as search:

        def make(one: Sequence[Contender], place: RunFolder) -> AbstractContextManager[Search]:
            _make_room(place, final_spec(one, how), reopen=True)  # nothing is opened there
            return made(one, place, how=how, session=session)

        say = session.progress.say
        companions = (
            []
            if final.test.exists()
            else made_beside(how, chosen, sources=sources, stages=stages, final=final, make=make, say=say)
        )
        return _test(search, final, winner, members, how, session, companions=companions, reopen=reopen)


@contextlib.contextmanager
def made(members: Sequence[Contender], final: RunFolder, *, how: FinalSpec, session: Session) -> Iterator[Search]:
    """Train or take over the fits of a final; give its search, whose journal is open meanwhile."""
    spec, source, retrained = final_spec(members, how), members[0].ledger.spec, how.form == "retrained"
    assert source is not None
    start_from = start_from_of(source, members[0].folder) if retrained else from_nothing
    facts = TaskFacts.of(prepared_task(spec.task), spec)
    if retrained:
        facts = replace(facts, start=content_of(spec, start_from, folds=1))
    search = Search(
        spec,
        final,
        facts=facts.as_begun(members[0].ledger.facts),
        incarnation=session.incarnation,
        lineage=Lineage(start_from=start_from, final=True),
        listener=telling_of_failures(session.progress),
    )
    try:
        write_text(final.spec, write_yaml(as_data(search.spec)))
        if not search.is_finished:
            session.progress.say(f"{final.name}: {_what(members, how, spec)}")
        if retrained:
            session.execute(search)
        else:
            take_over(members, search)
        if error := next((trial.error for trial in search.ledger.trials.values() if trial.error), None):
            raise RunFailed(f"{final.path}: the final could not be trained: {error}")
        yield search
    finally:
        search.close()


def _what(members: Sequence[Contender], how: FinalSpec, spec: SearchSpec) -> str:
    of = f"trial {members[0].trial.number} of {members[0].folder.name}"
    if how.form == "retrained":
        return f"{of}, retrained over {how.seeds} seeds, {spec.stop_at or spec.max_steps} steps"
    ties = f" and the {len(members) - 1} that tie with the best" if len(members) > 1 else ""
    return f"{of}{ties}: their {sum(len(one.trial.fits) for one in members)} judged fits, averaged"


def _test(
    search: Search,
    final: RunFolder,
    winner: Winner,
    members: Sequence[Contender],
    how: FinalSpec,
    session: Session,
    *,
    companions: Sequence[Companion],
    reopen: bool,
) -> dict[str, Any]:
    if final.test.exists() and final.model.exists():
        return read_test(final)
    paths = own_checkpoints(search.ledger, final)
    judged = [path for one in members for path in one.checkpoints] if how.form == "retrained" else paths
    if not final.test.exists():
        opened = [*paths, *(path for one in companions for path in one.paths)]
        names = tuple(str(path.relative_to(final.path)) for path in opened)
        _open(search, final, names, session, reopen=reopen)
        scores = session.call(search.spec.task, "test", paths, final.path, judged)
        beside = {one.name: one.tested(session) for one in companions}
        metrics = {name: float(value) for name, value in scores.items() if math.isfinite(value)}
        openings = len(openings_of(part_opened_by(final), final))
        task = prepared_task(search.spec.task)
        learnt_nothing = task.learnt_nothing(metrics) if isinstance(task, ScepticalTask) else None
        write_json(
            final.test,
            {
                "metrics": metrics,
                "openings": openings,
                "note": note_on(openings),
                "learnt_nothing": learnt_nothing,  # by what one sees it
                "varies": task.describe().get("test_varies"),  # in the intervals
                "undefined": sorted(scores.keys() - metrics.keys()),
                "spec_hash": spec_hash(_planned(final)),
                "opened_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "stage": winner.search,
                "trial": winner.trial,
                "config": winner.config,
                "what": _what(members, how, search.spec),
                "why": winner.best,
                "start": winner.start,
                "length": winner.length,
                "form": how.form,
                "members": len(paths),
                "steps": search.spec.stop_at or search.spec.max_steps,
                "seeds": search.spec.seeds,
                "checkpoints": names,
                **({"beside": beside} if beside else {}),
            },
        )
    if not final.model.exists():
        _export(search, final, paths, judged, session)
    return read_test(final)


def _open(search: Search, final: RunFolder, names: tuple[str, ...], session: Session, *, reopen: bool) -> None:
    """Journal that the test part is opened for these checkpoints, unless that is known, and write it beside the data.

    Raises UserError where another run has opened it by now.
    """
    part = part_of(search.spec)
    with openings_alone(part, final) as problem:
        if problem:
            session.progress.say(f"{problem}: the opening of the test part counts in this folder of runs alone")
        if names not in [opened.checkpoints for opened in search.ledger.tests_opened]:
            if not reopen:
                refuse_second_opening(part, final)
            write_part(part, final)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            session.progress.say(
                f"{now}: the test part opens; what was planned has the hash {spec_hash(_planned(final))}"
            )
            search.open_test(names)


def _planned(final: RunFolder) -> RunFolder:
    """Return the run whose journal says what was planned: the search or experiment that the final belongs to."""
    return RunFolder(final.path.parent)


def _export(search: Search, final: RunFolder, paths: list[Path], judged: list[Path], session: Session) -> None:
    beside = final.path / "model.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    signature = session.call(search.spec.task, "export", paths, beside, judged)
    openings = len(openings_of(part_opened_by(final), final))
    write_json(beside / "signature.json", {"task": search.spec.task.name, "test_openings": openings, **signature})
    beside.rename(final.model)


def _make_room(final: RunFolder, spec: SearchSpec, *, reopen: bool) -> None:
    """Set a final aside that was begun and is not the one wanted, or failed.

    Raises UserError where it has opened the test part, unless that may be done again.
    """
    ledger = Ledger(read_journal(final.journal))
    if ledger.spec is None:
        return
    changed = list(differences(as_data(ledger.spec), as_data(spec)))
    if not changed and not any(trial.state is State.FAILED for trial in ledger.trials.values()):
        return
    if ledger.tests_opened and not reopen:
        raise UserError(
            f"{final.path}: has opened the test part for another model; undo the difference and it is finished, or "
            "--reopen opens the test part again and marks it:",
            *(f"    {change}" for change in changed),
        )
    set_aside(final)


def set_aside_if_tested(final: RunFolder) -> None:
    """Make room for another final where this one is tested, which a user must ask for (--reopen)."""
    if final.test.exists():
        set_aside(final)


def set_aside(final: RunFolder) -> None:
    """Keep an earlier final under a number: its opening counts for ever."""
    if final.path.exists():
        number = 1
        while (earlier := final.path.with_name(f"{final.name}-{number}")).exists():
            number += 1
        final.path.rename(earlier)
