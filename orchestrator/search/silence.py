"""For how long a fit may say nothing before it counts as stalled."""

import math
from collections.abc import Collection
from typing import Generic, TypeVar

from orchestrator.history.failures import Failure
from orchestrator.history.ledger import FitEntry, Ledger

SHORTEST_S = 600.0
TIMES_THE_LONGEST = 10
FIRST_STEP_S = 7200.0  # while nobody knows how long a step takes


def longest_silence(stall_s: float | None, ledger: Ledger, fit: FitEntry) -> float:
    """Return the seconds for which a fit may be silent: what the search says (0: for ever).

    Else ten times the longest step so far, at least ten minutes, and two hours before there was any; each time that
    the fit stalled in a row, twice as long: it may be one whose steps take longer than all others'.
    """
    if stall_s is not None:
        return stall_s or math.inf
    longest = ledger.longest_step_s
    usual = max(SHORTEST_S, TIMES_THE_LONGEST * longest) if longest else FIRST_STEP_S
    return usual * 2.0 ** fit.times_lost(Failure.STALLED)


Who = TypeVar("Who")


class Silences(Generic[Who]):
    """For how long each of the fits at work has been silent, counted in the looks of somebody who looks regularly.

    A look counts for a few seconds at most: while the driver itself stood still, or its machine slept, nobody could
    be heard.
    """

    MOST_A_LOOK_S = 5.0

    def __init__(self) -> None:
        self._silent: dict[Who, float] = {}
        self._looked_at: float | None = None

    def heard(self, fit: Who) -> None:
        """Take note that a fit has just said something."""
        self._silent.pop(fit, None)

    def look(self, at_work: Collection[Who], *, now: float) -> dict[Who, float]:
        """Return the seconds for which each of these has been silent; now: of a clock that never goes back."""
        passed = 0.0 if self._looked_at is None else min(now - self._looked_at, self.MOST_A_LOOK_S)
        self._looked_at = now
        self._silent = {fit: self._silent.get(fit, -passed) + passed for fit in at_work}
        return self._silent
