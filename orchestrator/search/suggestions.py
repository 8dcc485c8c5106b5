"""Which configuration is next, and who is stopped early: a grid or studies, one for each cell, that know every trial.

They are told what the journal says, live and on replay in the same order, and so suggest and stop alike.
"""

import math
from collections.abc import Mapping

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, FitKey, Tell
from orchestrator.search.study import Study
from orchestrator.specs.space import cells, grid_configs
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Metrics, Scalar


class Suggestions:
    """The studies of one search. Trial n belongs to cell n mod cells, so that one numbering serves all."""

    def __init__(self, spec: SearchSpec, ledger: Ledger, *, final: bool) -> None:
        self._spec = spec
        self._ledger = ledger
        self._grid = grid_configs(spec.space) if spec.sampler == "grid" else None
        self._studies = [Study(spec, cell, index) for index, cell in enumerate(cells(spec.space))]
        self._origin = "final" if final else "sampler" if self._grid is None else "grid"
        self._first_with: dict[tuple[tuple[str, Scalar], ...], int] = {}  # by configuration, the trial that tried it

    def next(self) -> Ask:
        """Return the record of the trial after those in the ledger; a configuration tried before is named as such."""
        number = len(self._ledger.trials)
        config = self._study_of(number).ask(number, self._grid[number] if self._grid is not None else None)
        earlier = self._first_with.get(_key(config))
        origin = self._origin if earlier is None else f"duplicate of {earlier}"
        return Ask(trial=number, cell=number % len(self._studies), config=config, origin=origin)

    def asked(self, record: Ask, *, replay: bool) -> None:
        """Take note of a trial that the ledger now has; on replay its study is asked for it, as it was live."""
        if replay:
            self._study_of(record.trial).ask(record.trial, record.config)
        if self._ledger.trials[record.trial].duplicate_of is None:
            self._first_with[_key(record.config)] = record.trial

    def decide_to_stop(self, key: FitKey, step: int, metrics: Metrics) -> bool:
        """Tell the study a step of a trial's first fit, the only one that it judges; return whether the fit must stop.

        A fit whose trial is told already, because another fit of it failed, need not go on either.
        """
        if self._ledger.trials[key.trial].state.is_finished:
            return True
        if self._spec.prune is None or (key.seed, key.fold) != (0, 0):
            return False
        return self._study_of(key.trial).report(key.trial, step, metrics[self._spec.metric])

    def told(self, record: Tell) -> None:
        """Tell the study how a trial ended; one that repeats another has that one's reports and end."""
        trial = self._ledger.trials[record.trial]
        study = self._study_of(record.trial)
        if trial.duplicate_of is None:
            study.tell(record.trial, record.state, record.value)
            return
        original = self._ledger.trials[trial.duplicate_of]
        first = original.fits.get(FitKey(original.number, 0, 0))
        reports = (
            [(step, row[self._spec.metric]) for step, row in first.metrics.items()]
            if first and self._spec.prune
            else []
        )
        study.repeat(record.trial, [row for row in reports if math.isfinite(row[1])], original.state, record.value)

    def _study_of(self, number: int) -> Study:
        return self._studies[number % len(self._studies)]


def _key(config: Mapping[str, Scalar]) -> tuple[tuple[str, Scalar], ...]:
    return tuple(sorted(config.items()))
