"""Which configuration is next, and who is stopped early: a grid or studies, one for each cell, that know every trial.

They are told what the journal says, live and on replay in the same order, and so suggest and stop alike.
"""

import math
from collections.abc import Iterator, Mapping
from statistics import fmean

from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import Ask, FitKey, State, Tell
from orchestrator.search.draws import given_configs, startup_config
from orchestrator.search.study import Study
from orchestrator.specs.space import cells, holds
from orchestrator.specs.specs import SearchSpec
from orchestrator.specs.steps import with_default_steps
from orchestrator.task import Config, Metrics, Scalar

Planned = tuple[str, Config | None]  # the origin of a trial, and its configuration where no sampler draws that


class Suggestions:
    """The studies of one search. Trial n belongs to cell n mod cells, so that one numbering serves all."""

    def __init__(self, spec: SearchSpec, ledger: Ledger, *, defaults: Mapping[str, Scalar], final: bool) -> None:
        self._spec = spec
        self._ledger = ledger
        self._defaults = with_default_steps(defaults, spec)
        self._cells = cells(spec.space)
        self._given = [given_configs(spec, cell, self._defaults) for cell in self._cells]
        self._grid = spec.grid if spec.sampler == "grid" else []
        self._studies = [Study(spec, cell, index) for index, cell in enumerate(self._cells)]
        self._final = final
        self._first_with: dict[tuple[tuple[str, Scalar], ...], int] = {}  # by configuration, the trial that tried it

    def next(self) -> Ask:
        """Return the record of the trial after those in the ledger; a configuration tried before is named as such."""
        number = len(self._ledger.trials)
        origin, planned = self._planned(number)
        config = self._begun(number, planned)
        earlier = self._first_with.get(_key(config))
        return Ask(
            trial=number,
            cell=number % len(self._cells),
            config=config,
            origin=origin if earlier is None else f"duplicate of {earlier}",
        )

    def asked(self, record: Ask, *, replay: bool) -> None:
        """Take note of a trial that the ledger now has; on replay its study is asked for it, as it was live."""
        if replay:
            self._begun(record.trial, record.config)
        if self._ledger.trials[record.trial].duplicate_of is None:
            self._first_with[_key(record.config)] = record.trial

    def decide_to_stop(self, key: FitKey, step: int, metrics: Metrics) -> bool:
        """Tell the study a step of a trial's first fit, the only one that it judges; return whether the fit must stop.

        The default is never stopped: it is what the others are compared with. A fit whose trial is told already,
        because another fit of it failed or the others say that it cannot win, need not go on.
        """
        trial = self._ledger.trials[key.trial]
        if trial.state.is_finished:
            return True
        if self._spec.prune is None or (key.seed, key.fold) != (0, 0):
            return False
        rung = self._rung(trial, step)
        if rung is None:
            return False
        stop = self._study_of(key.trial).report(key.trial, rung, metrics[self._spec.metric])
        return stop and trial.origin != "default"

    def told(self, record: Tell) -> None:
        """Tell the study how a trial ended; one that repeats another has that one's reports and end."""
        trial = self._ledger.trials[record.trial]
        study = self._study_of(record.trial)
        if trial.duplicate_of is None:
            study.repeat(record.trial, list(self._raced(trial)), record.state, record.value)
            return
        original = self._ledger.trials[trial.duplicate_of]
        reports = [*self._reports(original), *self._raced(original)]
        study.repeat(record.trial, reports, original.state, record.value)

    def _planned(self, number: int) -> Planned:
        """Say how trial `number` comes by its configuration: it is given, or of a grid, or drawn, or the sampler's."""
        index, place = number % len(self._cells), number // len(self._cells)
        if self._final:
            return "final", self._grid[number]
        given = self._given[index]
        if place < len(given):
            return given[place]
        place -= len(given)
        if self._spec.sampler == "grid":
            return "grid", self._grid[place]
        learns = self._spec.sampler != "random"
        if learns and self._spec.startup != "random" and place + len(given) < self._spec.startup_trials:
            drawn = startup_config(
                self._spec, self._cells[index], self._defaults, study=index, place=place, number=number
            )
            return "sampler", drawn
        return "sampler", None

    def _begun(self, number: int, config: Config | None) -> Config:
        """Begin a trial in its study; of one of defaults that the space does not hold, no study knows."""
        is_given = number // len(self._cells) < len(self._given[number % len(self._cells)])
        if config is not None and is_given and not holds(self._spec.space, config):
            return config
        return self._study_of(number).ask(number, config)

    def _rung(self, trial: TrialEntry, step: int) -> int | None:
        """Return the step of the spec's max_steps to which a fit has come, by share of its own; None: to no new one."""
        its_own, whole = self._spec.steps_of(trial.config), self._spec.max_steps
        rung = step * whole // its_own
        return rung if rung > (step - 1) * whole // its_own else None

    def _reports(self, trial: TrialEntry) -> Iterator[tuple[int, float]]:
        """Yield what the study was told of a trial's steps."""
        first = trial.fits.get(FitKey(trial.number, 0, 0))
        if first is None or self._spec.prune is None:
            return
        for step, row in first.metrics.items():
            value, rung = row.get(self._spec.metric, math.nan), self._rung(trial, step)
            if math.isfinite(value) and rung is not None:
                yield rung, value

    def _raced(self, trial: TrialEntry) -> Iterator[tuple[int, float]]:
        """Yield what a trial that was raced out came to: the mean of its fits, at a step behind those of the first."""
        scores = self._ledger.scores(trial) if trial.state is State.PRUNED else []
        if scores:
            yield (self._spec.max_steps if self._spec.prune else 0) + len(scores), fmean(scores)

    def _study_of(self, number: int) -> Study:
        return self._studies[number % len(self._studies)]


def _key(config: Mapping[str, Scalar]) -> tuple[tuple[str, Scalar], ...]:
    return tuple(sorted(config.items()))
