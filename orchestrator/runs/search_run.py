"""Runs a search in its folder, from whatever state that is in, and leaves table and winner there."""

from pathlib import Path

from orchestrator.atomic import write_json, write_text
from orchestrator.errors import UserError
from orchestrator.execution.session import Session
from orchestrator.history.ledger import Ledger
from orchestrator.history.provenance import write_provenance
from orchestrator.history.records import FitKey
from orchestrator.history.run_contents import as_begun, read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.curves import write_curves
from orchestrator.results.table import write_tables
from orchestrator.search.lineage import Lineage, StartFrom, from_nothing
from orchestrator.search.search import Search
from orchestrator.search.selection import checkpoint_of, winner_of
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import SearchSpec, as_data
from orchestrator.specs.strict_yaml import write_yaml
from orchestrator.specs.task_loading import prepared_task


def run_search(spec: SearchSpec, folder: RunFolder, session: Session) -> Ledger:
    """Run or continue a search to its end or the end of its budget, and write its tables and winner."""
    spec = as_begun(folder, spec)
    task = prepared_task(spec.task)
    search = Search(
        spec,
        folder,
        facts=TaskFacts.of(task, spec),
        incarnation=session.incarnation,
        lineage=Lineage(start_from=start_from_of(spec, folder)),
        listener=session.progress,
    )
    try:
        if spec.start_from is not None:
            source = RunFolder(folder.path.parent / spec.start_from)
            search.pin(spec.start_from, winner_of(read_ledger(source), source).trial)
        write_text(folder.spec, write_yaml(as_data(spec)))
        write_provenance(folder, facts={folder.name: task.describe()}, seeds={"seed": spec.seed, "seeds": spec.seeds})
        session.execute(search)
    finally:
        is_ours = not search.journal.is_cut_off
        search.close()
        if is_ours and any(trial.state.is_finished for trial in search.ledger.trials.values()):
            write_tables(search.ledger, folder, alive=False)
            write_curves(search.ledger, folder)
    if search.is_finished or search.ledger.ranked():
        write_json(folder.winner, winner_of(search.ledger, folder).as_data())
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
    facts = TaskFacts.of(prepared_task(spec.task), spec)
    lineage = Lineage(start_from=start_from_of(spec, folder))
    search = Search(spec, folder, facts=facts, incarnation="submitted", lineage=lineage)
    search.close()
    write_text(folder.spec, write_yaml(as_data(spec)))
    return search.fits_left


def start_from_of(spec: SearchSpec, folder: RunFolder) -> StartFrom:
    """Return which weights each fit starts from: the source's winner, of the same fold where the data is the same.

    Data of another source never holds this one's validation records by design; the task asserts it by content.
    """
    if spec.start_from is None:
        return from_nothing
    source = RunFolder(folder.path.parent / spec.start_from)
    ledger = read_ledger(source)
    assert ledger.spec is not None
    best = ledger.trials[winner_of(ledger, source).trial]
    same_data = ledger.spec.task == spec.task
    seeds = ledger.spec.seeds

    def start_from(seed: int, fold: int) -> Path:
        key = FitKey(best.number, seed % seeds, fold if same_data else 0)
        if key not in best.fits:
            raise UserError(
                f"{source.path}: its winner has no fit of fold {fold}; search {source.name} with the same folds"
            )
        return checkpoint_of(ledger, source, best, seed=key.seed, fold=key.fold)

    return start_from
