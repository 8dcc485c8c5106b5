"""Which of the fits at work hang, and which Tune has ended without a word: somebody looks again and again.

Of Tune's trials it knows their ids, states and actors, and imports no Ray.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.history.records import FitKey
from orchestrator.search.search import Search
from orchestrator.search.silence import Silences, longest_silence


class HungFits:
    """Looks at the trials of one search, each of which runs one fit."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._trials: dict[str, Any] = {}  # by Tune's id, those that are not over
        self._workers: dict[str, Any] = {}  # by the same id, the actor that it had last
        self._over: set[str] = set()  # those of them that were over at the last look, as Tune has it
        self._silences = Silences[str]()

    def begun(self, trial: Any) -> None:
        """Take note of a new trial."""
        self._trials[trial.trial_id] = trial

    def heard(self, trial_id: str) -> None:
        """Take note that its fit has just said something."""
        self._silences.heard(trial_id)

    def ended(self, trial_id: str) -> None:
        """Forget a trial."""
        self._trials.pop(trial_id, None)
        self._workers.pop(trial_id, None)

    def stalled(self, keys: Mapping[str, FitKey], *, now: float) -> Iterator[tuple[Any, float]]:
        """Yield the trials whose fits have been silent for too long, and for how many seconds they may be."""
        at_work = [trial_id for trial_id, trial in self._trials.items() if trial.status == "RUNNING"]
        for trial_id, silent in self._silences.look(at_work, now=now).items():
            ledger = self._search.ledger
            most = longest_silence(self._search.spec.stall_s, ledger, ledger.fit(keys[trial_id]))
            if silent > most:
                yield self._trials[trial_id], most

    def ended_without_a_word(self) -> list[tuple[str, Any]]:
        """Return the trials that were over at two looks in a row, each with the actor it had, and forget them.

        Tune ends a trial so where the worker that was to go on with it does not come free: the fit before was told to
        stop, and does not end. Its actor would keep its CPUs for as long.
        """
        for trial_id, trial in self._trials.items():
            if (worker := trial.temporary_state.ray_actor) is not None:
                self._workers[trial_id] = worker
        over = {trial_id for trial_id, trial in self._trials.items() if trial.status in ("ERROR", "TERMINATED")}
        gone = [(trial_id, self._workers.get(trial_id)) for trial_id in over & self._over]
        self._over = over
        for trial_id, _worker in gone:
            self.ended(trial_id)
        return gone
