"""Whether two searches are of the same data: by its content, whatever the other arguments of their tasks are.

With the same data, fold k holds the same records: a fit may start from the other's fit of the same fold, and scores may
be compared.
"""

import json

from orchestrator.history.ledger import Ledger
from orchestrator.specs.specs import TaskSpec


def data_of(ledger: Ledger) -> str:
    """Return what stands for the data that a search began with."""
    assert ledger.spec is not None
    return data_key(ledger.facts.get("data"), ledger.spec.task)


def data_key(content: object, task: TaskSpec) -> str:
    """Return what stands for data: its content hash; of a task that has none, the task itself as it is named."""
    return str(content) if content is not None else json.dumps(task.model_dump(mode="json"), sort_keys=True)
