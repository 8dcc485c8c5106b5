"""What is tried next, and what is stopped: an in-memory Optuna study that is a function of the events it was told.

The one file that imports optuna. Optuna's own storages are not used: the journal remembers, and a study is rebuilt by
repeating every event through the same calls, because pruners keep what they know in attributes that `add_trial` loses.
"""

import logging
from collections.abc import Mapping, Sequence

import optuna
from optuna.trial import TrialState

from orchestrator.history.records import State
from orchestrator.search.seeds import draw_seed
from orchestrator.specs.space import Space, suggest
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Config, Scalar

optuna.logging.set_verbosity(logging.WARNING)

_TOLD = {
    State.COMPLETE: TrialState.COMPLETE,
    State.PRUNED: TrialState.PRUNED,
    State.FAILED: TrialState.FAIL,
    State.INCOMPLETE: TrialState.FAIL,
}


class Study:
    """One Optuna study for one cell of the outer grid."""

    def __init__(self, spec: SearchSpec, cell: Mapping[str, Scalar], index: int) -> None:
        self._spec = spec
        self._space: Space = spec.space
        self._cell = cell
        self._index = index
        self._open: dict[int, optuna.Trial] = {}
        self._study = optuna.create_study(
            study_name=f"study-{spec.seed}-{index}",  # fixed: some pruners hash it
            direction="maximize" if spec.mode == "max" else "minimize",
            pruner=_pruner(spec),
        )

    def ask(self, number: int, config: Config | None = None) -> dict[str, Scalar]:
        """Begin trial `number` with the sampler's suggestion, or with `config`: a grid's, or what the journal has.

        Suggestion n is drawn with a sampler seeded from (study seed, n), so a resumed search draws what it would have
        drawn.
        """
        self._study.sampler = _sampler(self._spec, number)
        if config is not None:
            self._study.enqueue_trial(dict(config))
        trial = self._study.ask()
        self._open[number] = trial
        return suggest(self._space, self._cell, trial)

    def report(self, number: int, step: int, value: float) -> bool:
        """Tell a trial's value at a step; return whether to stop it. One that was not asked for never is."""
        if number not in self._open:
            return False
        trial = self._open[number]
        trial.report(value, step)
        return self._spec.prune is not None and trial.should_prune()

    def tell(self, number: int, state: State, value: float | None) -> None:
        """Close a trial.

        A pruned one is told as pruned, with the values reported; a final, which has no value, as failed; one that was
        not asked for, not at all.
        """
        if number not in self._open:
            return
        trial = self._open.pop(number)
        told = _TOLD[state] if value is not None or state is not State.COMPLETE else TrialState.FAIL
        self._study.tell(trial, value if told is TrialState.COMPLETE else None, state=told)

    def repeat(self, number: int, reports: Sequence[tuple[int, float]], state: State, value: float | None) -> None:
        """Close a trial that is the same as an earlier one, with that one's reports and end."""
        for step, reported in reports if number in self._open else ():
            self._open[number].report(reported, step)
        self.tell(number, state, value)


def _sampler(spec: SearchSpec, number: int) -> optuna.samplers.BaseSampler:
    seed = draw_seed("suggestion", spec.seed, number)
    if spec.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=spec.startup_trials)
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(spec: SearchSpec) -> optuna.pruners.BasePruner:
    if spec.prune is None:
        return optuna.pruners.NopPruner()
    halving = spec.prune.successive_halving
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=halving.min_steps, reduction_factor=halving.factor)
