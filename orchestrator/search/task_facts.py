"""What a search must know of its task, asked once: the hyperparameters, the folds, the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from orchestrator.specs.specs import SearchSpec
from orchestrator.specs.task_loading import folds_of, parameters_of
from orchestrator.task import Parameter, Scalar, Task


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """The task as far as decisions depend on it."""

    parameters: Mapping[str, Parameter]
    folds: int  # over which the search goes, which may be fewer than the data has
    data: Scalar  # content hash: a search goes on with the data that it began with, or not at all
    test_over_train: Scalar = None  # validation over train records of a fit, where the task says it
    start: str | None = None  # hash of the weights that the fits start from, where these are of elsewhere

    @classmethod
    def of(cls, task: Task, spec: SearchSpec) -> Self:
        """Ask the task, for this search of it. Raises ValueError or OSError where its data cannot be read."""
        described = task.describe()
        return cls(
            parameters=parameters_of(spec, task),
            folds=folds_of(spec, task),
            data=described.get("data"),
            test_over_train=described.get("test_over_train"),
        )

    def recorded(self) -> dict[str, Scalar]:
        """Return what the journal's first record holds of it, beside the spec."""
        facts = {"data": self.data, "folds": self.folds}
        optional = {"test_over_train": self.test_over_train, "start": self.start}
        return {**facts, **{name: value for name, value in optional.items() if value is not None}}
