"""What a table owes to the order in which fits end, where several run at a time: a killed search ends in another one.

A grid's configurations, and those drawn at random, follow from the seed and their number alone, and a fit's score from
its configuration: in whatever order fits end, the table is the same. A sampler that learns, a pruner and a race look at
what has ended by then. One fit at a time ends in one order only.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from orchestrator.history.ledger import Ledger
from orchestrator.specs.specs import SearchSpec

log = logging.getLogger(__name__)


def ways_to_follow_order(spec: SearchSpec) -> Iterator[str]:
    """Yield what of a search looks at the fits that have ended by then; nothing: its table is the same in any order."""
    if spec.sampler not in ("grid", "random"):
        yield f"its sampler, {spec.sampler}, learns"
    if spec.prune is not None:
        yield "it prunes"
    if spec.race is not None:
        yield "it races"


def warn_of_another_order(ledger: Ledger, spec: SearchSpec, folder: Path) -> None:
    """Warn where a search that follows the order goes on with another number of fits at a time than it had."""
    before = ledger.spec.concurrency if ledger.spec else spec.concurrency
    why = " and ".join(ways_to_follow_order(spec))
    if before != spec.concurrency and ledger.trials and why:
        log.warning(
            "%s: concurrency: %d > %d amid the search: %s, so what it does from here on depends on the order in which "
            "fits end, and the same search begun anew ends with another table",
            folder,
            before,
            spec.concurrency,
            why,
        )
