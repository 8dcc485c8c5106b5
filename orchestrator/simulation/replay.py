"""One search on recorded curves, by the very code that decides a real one, in virtual time: its cost is its steps."""

from pathlib import Path

from orchestrator.history.ledger import Ledger
from orchestrator.history.memory_journal import MemoryJournal
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.budget import Spending
from orchestrator.search.search import Search
from orchestrator.search.task_facts import TaskFacts
from orchestrator.simulation.recorded_task import RecordedTask
from orchestrator.specs.specs import Budget, SearchSpec


def replayed(spec: SearchSpec, task: RecordedTask, *, steps: int | None, folder: Path) -> Ledger:
    """Run a search, one fit at a time, until all its trials are told or so many steps are spent.

    folder: an empty one, which stays empty: nothing of the search is written. Its own `budget` is of a real clock and
    does not count.
    """
    journal = MemoryJournal(folder / "journal.jsonl")
    spec = spec.model_copy(update={"budget": None})
    facts = TaskFacts.of(task, spec)
    search = Search(spec, RunFolder(folder), facts=facts, incarnation="simulated", journal=journal)
    if steps is not None:  # a step takes a second of the journal's time
        budget = Budget(minutes=steps / 60)
        search.spending = Spending(budget, search.ledger)
    while following := search.next_fit():
        key, fit = following
        for step, metrics in task.steps_of(fit).items():
            if step > fit.max_steps or search.reported(key, step, metrics, None):
                break
        search.returned(key)
    return search.ledger
