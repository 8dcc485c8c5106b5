"""What is tried next, and what is stopped: an in-memory Optuna study that is a function of the events it was told.

With importance.py and optuna_journal.py the one file that imports optuna. Optuna's own storages are not used: the
journal remembers, and a study is rebuilt by repeating every event through the same calls, because pruners keep what
they know in attributes that `add_trial` loses.
"""

import logging
import warnings
from collections.abc import Container, Mapping, Sequence
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState

from orchestrator.history.records import State
from orchestrator.search.seeds import draw_seed
from orchestrator.search.window import Window
from orchestrator.specs.space import Space, suggest
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Config, Scalar

optuna.logging.set_verbosity(logging.ERROR)

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
        self._open: dict[int, optuna.Trial] = {}
        self._window = None if spec.window is None else Window(spec.window, spec.mode)
        self._storage = _Storage() if self._window else optuna.storages.InMemoryStorage()
        self._study = optuna.create_study(
            study_name=f"study-{spec.seed}-{index}",  # fixed: some pruners hash it
            direction="maximize" if spec.mode == "max" else "minimize",
            pruner=_pruner(spec),
            storage=self._storage,
        )

    def ask(self, number: int, config: Config | None = None) -> dict[str, Scalar]:
        """Begin trial `number` with the sampler's suggestion, or with `config`: a grid's, or what the journal has.

        Suggestion n is drawn with a sampler seeded from (study seed, n), so a resumed search draws what it would have
        drawn.
        """
        # Of searches that an earlier version began, the sampler leaves notes at trials that it did not draw, too.
        draws = config is None or self._window is None
        self._study.sampler = _sampler(self._spec, number) if draws else optuna.samplers.RandomSampler(seed=0)
        if config is not None:
            self._study.enqueue_trial(dict(config))
        if isinstance(self._storage, _Storage):
            self._storage.show(self._window.seen() if self._window and draws else None)
        trial = self._study.ask()
        self._open[number] = trial
        drawn = suggest(self._space, self._cell, trial)
        if isinstance(self._storage, _Storage):
            self._storage.show(None)
        return drawn

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
        if self._window and told is not TrialState.FAIL:
            self._window.add(trial.number, value if told is TrialState.COMPLETE else None)

    def repeat(self, number: int, reports: Sequence[tuple[int, float]], state: State, value: float | None) -> None:
        """Close a trial that is the same as an earlier one, with that one's reports and end."""
        for step, reported in reports if number in self._open else ():
            self._open[number].report(reported, step)
        self.tell(number, state, value)


class _Storage(optuna.storages.InMemoryStorage):
    """Trials in memory, of which a sampler is shown a part."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Container[int] | None = None
        self._shown: list[FrozenTrial] | None = None

    def show(self, seen: Container[int] | None) -> None:
        """Show of the trials that are told only these, by number, until told otherwise; None: all."""
        self._seen, self._shown = seen, None

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        if self._seen is None or states == (TrialState.WAITING,):
            return super().get_all_trials(study_id, deepcopy, states)
        if self._shown is None:
            trials = super().get_all_trials(study_id, deepcopy=False)
            self._shown = [trial for trial in trials if trial.number in self._seen or not trial.state.is_finished()]
        return [trial for trial in self._shown if states is None or trial.state in states]

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        # With these TPE tells other processes what it is about to suggest, inactive dimensions included. Here all is
        # suggested before anyone looks, and a trial that the journal suggests must look like one that TPE did.
        if not key.startswith("tpe:relative_params"):
            super().set_trial_system_attr(trial_id, key, value)


def _sampler(spec: SearchSpec, number: int) -> optuna.samplers.BaseSampler:
    seed = draw_seed("suggestion", spec.seed, number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of `group`: our journal names the version of optuna
        if spec.sampler == "tpe":
            return optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=spec.startup_trials,
                multivariate=spec.tpe.multivariate,
                group=spec.tpe.group,
                constant_liar=spec.tpe.constant_liar,
            )
        if (
            spec.sampler == "gp"
        ):  # it starts each suggestion from nothing, so none depends on the process's earlier ones
            return optuna.samplers.GPSampler(
                seed=seed, n_startup_trials=spec.startup_trials, warn_independent_sampling=False
            )
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(spec: SearchSpec) -> optuna.pruners.BasePruner:
    rules = spec.prune
    if rules and rules.successive_halving:
        halving = rules.successive_halving
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=halving.min_steps, reduction_factor=halving.factor)
    if rules and rules.hyperband:
        return optuna.pruners.HyperbandPruner(
            min_resource=rules.hyperband.min_steps,
            max_resource=spec.max_steps,
            reduction_factor=rules.hyperband.factor,
        )
    if rules and rules.median:
        return optuna.pruners.MedianPruner(
            n_startup_trials=rules.median.startup_trials, n_warmup_steps=rules.median.warmup_steps
        )
    return optuna.pruners.NopPruner()
