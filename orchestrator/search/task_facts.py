"""What a search must know of its task, asked once: the hyperparameters, the folds, the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from orchestrator.specs.specs import SearchSpec
from orchestrator.specs.task_loading import folds_of, parameters_of
from orchestrator.task import BoundedTask, Parameter, Scalar, Task


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """The task as far as decisions depend on it."""

    parameters: Mapping[str, Parameter]
    folds: int  # over which the search goes, which may be fewer than the data has
    data: Scalar  # content hash: a search goes on with the data that it began with, or not at all
    test_over_train: Scalar = None  # validation over train records of a fit, where the task says it
    metric_bounds: tuple[float, float] | None = None  # of the score that is searched by, where the task says them
    start: str | None = None  # hash of the weights that the fits start from, where these are of elsewhere
    defaults: Mapping[str, Scalar] = field(default_factory=dict)  # of what a configuration leaves out; see as_begun

    def __post_init__(self) -> None:  # frozen: the one way to fill in what follows from another field
        every = {name: parameter.default for name, parameter in self.parameters.items()}
        object.__setattr__(self, "defaults", {**every, **self.defaults})

    @classmethod
    def of(cls, task: Task, spec: SearchSpec) -> Self:
        """Ask the task, for this search of it. Raises ValueError or OSError where its data cannot be read."""
        described = task.describe()
        return cls(
            parameters=parameters_of(spec, task),
            folds=folds_of(spec, task),
            data=described.get("data"),
            test_over_train=described.get("test_over_train"),
            metric_bounds=task.metric_bounds(spec.metric) if isinstance(task, BoundedTask) else None,
        )

    def as_begun(self, begun: Mapping[str, Any]) -> Self:
        """Return the facts with the defaults with which a search began: a later version's may be others.

        begun: what `recorded` gave then. A hyperparameter that is newer has its own default, which changes nothing.
        """
        return replace(self, defaults={**self.defaults, **begun.get("defaults", {})})

    def recorded(self) -> dict[str, Any]:
        """Return what the journal's first record holds of it, beside the spec."""
        facts = {"data": self.data, "folds": self.folds, "defaults": dict(self.defaults)}
        bounds = None if self.metric_bounds is None else list(self.metric_bounds)
        optional = {"test_over_train": self.test_over_train, "metric_bounds": bounds, "start": self.start}
        return {**facts, **{name: value for name, value in optional.items() if value is not None}}
