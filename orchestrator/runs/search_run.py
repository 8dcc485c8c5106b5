"""Runs a search in its folder, from whatever state that is in, and leaves table and winner there."""

from dataclasses import replace

from orchestrator.atomic import write_json, write_text
from orchestrator.execution.session import Session
from orchestrator.history.ledger import Ledger
from orchestrator.history.provenance import write_provenance
from orchestrator.history.run_contents import as_begun
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.curves import write_curves
from orchestrator.results.table_files import write_tables
from orchestrator.runs.notification import telling_of_failures
from orchestrator.runs.starting import content_of, pinned, start_from_of
from orchestrator.search.lineage import Lineage, StartFrom
from orchestrator.search.search import Search
from orchestrator.search.selection import winner_of
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import SearchSpec, as_data
from orchestrator.specs.strict_yaml import write_yaml
from orchestrator.specs.task_loading import prepared_task
from orchestrator.task import Task


def run_search(spec: SearchSpec, folder: RunFolder, session: Session, *, may_fail: bool = False) -> Ledger:
    """Run or continue a search to its end or the end of its budget, and write its tables and winner.

    may_fail: that no trial can be trained ends nothing but this search, which then has no winner.
    """
    spec = as_begun(folder, spec)
    task = prepared_task(spec.task)
    facts, start_from = facts_and_start(spec, folder, task)
    search = Search(
        spec,
        folder,
        facts=facts,
        incarnation=session.incarnation,
        lineage=Lineage(start_from=start_from),
        listener=session.progress if may_fail else telling_of_failures(session.progress),
        may_fail=may_fail,
    )
    try:
        if source := pinned(spec, folder):
            search.pin(*source)
        write_text(folder.spec, write_yaml(as_data(spec)))
        write_provenance(folder, facts={folder.name: task.describe()}, seeds={"seed": spec.seed, "seeds": spec.seeds})
        session.execute(search)
    finally:
        is_ours = not search.journal.is_cut_off
        search.close()
        if is_ours and any(trial.state.is_finished for trial in search.ledger.trials.values()):
            write_tables(search.ledger, folder, alive=False)
            write_curves(search.ledger, folder)
    if search.ledger.ranked() or (search.is_finished and not may_fail):
        of_its_own = winner_of(search.ledger, folder).as_data()
        del of_its_own["search"]  # which the folder is
        write_json(folder.winner, of_its_own)
    if not search.is_finished:
        session.progress.say(
            f"{folder.name}: out of budget after {len(search.ledger.told())} of {search.total} trials; all is saved"
        )
    return search.ledger


def begin_search(spec: SearchSpec, folder: RunFolder) -> int:
    """Journal that a search was begun, or continued with what a resume may change; return how many fits it has left.

    Raises UserError where the folder holds another search, or where what it starts from is not there.
    """
    spec = as_begun(folder, spec)
    facts, start_from = facts_and_start(spec, folder, prepared_task(spec.task))
    search = Search(spec, folder, facts=facts, incarnation="submitted", lineage=Lineage(start_from=start_from))
    search.close()
    write_text(folder.spec, write_yaml(as_data(spec)))
    return search.fits_left


def facts_and_start(spec: SearchSpec, folder: RunFolder, task: Task) -> tuple[TaskFacts, StartFrom]:
    """Return what a search must know of its task, the hash of what its fits start from included, and that start."""
    facts, start_from = TaskFacts.of(task, spec), start_from_of(spec, folder)
    return replace(facts, start=content_of(spec, start_from, folds=facts.folds)), start_from
