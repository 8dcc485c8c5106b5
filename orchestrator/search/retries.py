"""What follows when a fit is lost with its worker: whether it goes on elsewhere, how, and for how often in a row.

Read off the ledger, so that a driver that was killed amid a row of losses goes on counting.
"""

import logging
from collections.abc import Mapping

from orchestrator.errors import printable
from orchestrator.history.failures import Failure
from orchestrator.history.ledger import FitEntry
from orchestrator.history.records import Lost
from orchestrator.search.verdicts import LONGEST_ERROR, Verdict, failed

log = logging.getLogger(__name__)

# In a row, without a step between; None: as often as it happens, since it is no fault of the fit's.
RESTARTS: Mapping[Failure, int | None] = {
    Failure.GPU_MEMORY: 0,  # the same again would end the same; but see `parts_of`
    Failure.HOST_MEMORY: 2,  # it may have been others that took it
    Failure.STALLED: 3,
    Failure.WORKER: 2,
    Failure.NODE: 10,  # it may be the fit that takes its nodes down, by the memory that it needs
    Failure.WALL_TIME: 5,  # several workers that began together end together, and a fit may meet them all
    Failure.PREEMPTED: None,
}
_WAY_OUT: Mapping[Failure, str] = {
    Failure.GPU_MEMORY: "give it a smaller batch or network, or say `on_out_of_memory: halve_batch` in the search",
    Failure.HOST_MEMORY: "run fewer fits at a time, or ask for more memory in the profile",
    Failure.STALLED: "see what it printed last in its output.txt; `stall_s` says how long it may be silent",
    Failure.NODE: "it may need more memory than its job has",
    Failure.WALL_TIME: "its steps take longer than a job may: ask for more `time` in the profile",
}


def parts_of(fit: FitEntry, *, halve: bool) -> int:
    """Return into how many parts a fit splits its batches: two once it ran out of a GPU's memory, where it may.

    halve: whether the search allows it.
    """
    return 2 if halve and any(kind is Failure.GPU_MEMORY for kind, _step in fit.losses) else 1


def after_loss(fit: FitEntry, failure: Failure, error: str, *, halve: bool) -> Verdict | Lost:
    """Return what follows when a fit was lost once more: that it has failed, or the record with which it goes on.

    halve: whether a fit that runs out of a GPU's memory may try once with half its batch.
    """
    said = printable(error, most=LONGEST_ERROR)
    log.warning("trial %d: seed %d, fold %d: %s (%s)", *fit.key, failure, (said.splitlines() or [""])[-1])
    if words := _why_given_up(fit, failure, said, halve=halve):
        return failed(failure, words)
    return Lost(**fit.key._asdict(), failure=failure, error=said)


def _why_given_up(fit: FitEntry, failure: Failure, error: str, *, halve: bool) -> str | None:
    if failure is Failure.GPU_MEMORY and halve and parts_of(fit, halve=True) == 1:
        return None
    most = RESTARTS[failure]
    if most is None or fit.times_lost(failure) < most:
        return None
    way_out = f"; {_WAY_OUT[failure]}" if failure in _WAY_OUT else ""
    if most == 0:
        halved = ", also with half its batch" if parts_of(fit, halve=halve) > 1 else ""
        return f"{failure}{halved}: {error}{way_out}"
    return f"{failure} {most + 1} times in a row without finishing a step: {error}{way_out}"
