"""A task whose fits replay recorded curves: the nearest configuration's, of a recorded fit that the fit's seed draws.

All trials of a search draw the same recorded fits, with replacement, and searches with other study seeds others: the
recorded fits are the population, and the mean over all of them is a configuration's true value. A fit drawn twice says
less than two would, so with few recorded fits a search believes a little too readily that trials differ.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from orchestrator.errors import UserError, raise_if_any
from orchestrator.history.ledger import as_texts
from orchestrator.search.draws import Given
from orchestrator.search.task_facts import TaskFacts
from orchestrator.simulation.nearest import equal, nearest_trial
from orchestrator.simulation.recorded_curves import RecordedCurves, RecordedTrial, read_curves
from orchestrator.specs.dimensions import Range
from orchestrator.specs.reading import read_search
from orchestrator.specs.space import cells, nearest, suggest, values_of
from orchestrator.specs.specs import STEPS, SearchSpec
from orchestrator.specs.steps import with_default_steps
from orchestrator.specs.strict_yaml import Document, read_yaml
from orchestrator.specs.task_loading import load_task
from orchestrator.task import Array, Config, Fit, Metrics, Parameter, Report, Scalar


class RecordedTask:
    """What a search space would find on the curves of a table. Its hyperparameters are those of the space's task."""

    def __init__(self, *, space: Path, curves: Path) -> None:
        self.spec = read_search(space)
        self.curves = read_curves(curves)
        raise_if_any(list(_mistakes(self.spec, read_yaml(space.absolute()), self.curves)))
        self._task = load_task(self.spec.task)
        self._found: dict[tuple[tuple[str, Scalar], ...], tuple[RecordedTrial, float]] = {}

    def parameters(self, listed: Mapping[str, Sequence[Scalar]] = MappingProxyType({})) -> Mapping[str, Parameter]:
        """Return the hyperparameters of the space's task."""
        return self._task.parameters(listed)

    def describe(self) -> Mapping[str, Scalar]:
        """Say how many folds were recorded; of k folds, each is validated on 1/(k - 1) of what it is trained on."""
        folds = self.curves.folds
        ratio = {"test_over_train": 1 / (folds - 1)} if folds > 1 else {}
        return {"folds": folds, "data": self.curves.content, **ratio}

    def fit(self, fit: Fit, report: Report) -> None:
        """Report what the recorded fit reported."""
        for step, metrics in self.steps_of(fit).items():
            if step <= fit.max_steps:
                report(step, metrics)

    def steps_of(self, fit: Fit) -> Mapping[int, Metrics]:
        """Return by step what a recorded fit reported that stands for this one."""
        config = {**fit.config, **({STEPS: fit.max_steps} if STEPS in self.spec.space else {})}
        trial, _distance = self.recorded_for(config)
        return trial.fits[self.curves.fits[fit.seed % len(self.curves.fits)]]

    def recorded_for(self, config: Config) -> tuple[RecordedTrial, float]:
        """Return the recorded trial that stands for a configuration, and how far it is from that."""
        known = tuple(config.items())
        if known not in self._found:
            active = suggest(self.spec.space, config, Given({**dict.fromkeys(self.spec.space), **config}))
            self._found[known] = nearest_trial(self.spec.space, active, self.curves.trials)
        return self._found[known]

    def default_distance(self) -> tuple[int, float] | None:
        """Return the recorded trial that stands for the untuned default, and how far it is from that."""
        if not self.spec.has_baseline:
            return None
        defaults = with_default_steps(TaskFacts.of(self, self.spec).defaults, self.spec)
        trial, apart = self.recorded_for(suggest(self.spec.space, cells(self.spec.space)[0], Given(defaults)))
        return trial.number, apart

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        """Raise ValueError: curves have no weights."""
        raise UserError(f"{self.curves.path}: recorded curves have no weights, so nothing can be tested")

    def export(
        self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()
    ) -> Mapping[str, Scalar]:
        """Raise ValueError: curves have no weights."""
        raise UserError(f"{self.curves.path}: recorded curves have no weights, so there is no model")

    @staticmethod
    def load(directory: Path) -> Callable[[Array], Array]:
        """Raise ValueError: curves have no weights."""
        raise UserError(f"{directory}: recorded curves have no weights, so there is no model")


def steps_of_a_fit(spec: SearchSpec) -> int:
    """Return for how many steps the longest fit runs."""
    return min(spec.most_steps, spec.stop_at or spec.most_steps)


def _mistakes(spec: SearchSpec, document: Document, curves: RecordedCurves) -> Iterator[str]:
    """Yield what the space asks for and the table does not know."""
    if spec.metric not in curves.metrics:
        known = dict.fromkeys(curves.metrics)
        yield (f"{document.at(('metric',))}: metric: {curves.path} has no {spec.metric}{nearest(spec.metric, known)}")
    if steps_of_a_fit(spec) != curves.longest:
        yield (
            f"{document.at(('max_steps',))}: max_steps: must be {curves.longest}, for which the fits of {curves.path} "
            f"were trained, got {steps_of_a_fit(spec)}; a fit of another length has another curve"
        )
    for name, entry in spec.space.items():
        place = document.at(("space", name))
        if name not in curves.hyperparameters:
            yield f"{place}: {name}: was not recorded in {curves.path}; leave it out, or record it"
            continue
        recorded = sorted({trial.config[name] for trial in curves.trials.values()} - {""})
        listed = (
            []
            if isinstance(entry, Range)
            else [text for value in values_of(entry) if (text := as_texts({name: value})[name])]
        )
        if unknown := [text for text in listed if not any(equal(text, one) for one in recorded)]:
            yield f"{place}: {name}: must be of those recorded ({', '.join(recorded)}), got {', '.join(unknown)}"
    for name in curves.hyperparameters:
        if name not in spec.space:
            yield f"{document.at(('space',))}: {name}: was recorded in {curves.path}; name it, with a value at least"
