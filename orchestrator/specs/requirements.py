"""What a test must say for a model to become the champion: bounds on its scores, as `final: {require: ...}` names them.

Numbers and names in, sentences out.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from orchestrator.specs.space import nearest
from orchestrator.specs.strict_model import StrictModel
from orchestrator.task import ReportingTask, ScoredTask, Task

OF_TEST = "test/"  # before the name of a score of the test, the one kind that can be required


class Bound(StrictModel):
    """Between which values a score must lie, both included."""

    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _can_be_met(self) -> "Bound":
        if self.at_least is None and self.at_most is None:
            raise ValueError("must say at_least or at_most, or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least must not be above at_most, got {self.at_least:g} and {self.at_most:g}")
        return self

    def broken_by(self, value: float) -> str | None:
        """Return by how much a value lies outside, in words; None: it lies inside."""
        if self.at_least is not None and value < self.at_least:
            return f"{self.at_least - value:.4f} below the required {self.at_least:g}"
        if self.at_most is not None and value > self.at_most:
            return f"{value - self.at_most:.4f} above the allowed {self.at_most:g}"
        return None

    def __str__(self) -> str:
        ends = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {value:g}" for word, value in ends if value is not None)


def _bound(given: Any) -> Any:
    """Read a number alone as the least that a score must be."""
    return {"at_least": given} if isinstance(given, int | float) and not isinstance(given, bool) else given


AnyBound = Annotated[Bound, BeforeValidator(_bound)]


def requirement_mistakes(require: Mapping[str, Bound], task: Task) -> Iterator[tuple[str, str]]:
    """Yield each name that cannot be required of a task's test, and why, as far as it can be said before the test."""
    for name, bound in require.items():
        score = name.removeprefix(OF_TEST)
        if score == name:
            yield name, f"must be {OF_TEST} and the name of a score of the test, such as {OF_TEST}{name}, got {name!r}"
            continue
        if not isinstance(task, ScoredTask):
            continue
        best = task.best_of(score)
        if best is None:
            known = [f"{OF_TEST}{one}" for one in _known(task) if task.best_of(one)]
            way_out = nearest(name, dict.fromkeys(known)) if known else ""
            yield name, f"is no score of the test, or none of which one value is better than another{way_out}"
        elif best == "min" and bound.at_most is None:
            yield name, f"is better the smaller it is; write {{at_most: {bound.at_least:g}}}"
        elif best == "max" and bound.at_least is None:
            yield name, f"is better the larger it is; write {bound.at_most:g}, or {{at_least: {bound.at_most:g}}}"


def _known(task: Task) -> list[str]:
    return list(task.reports()) if isinstance(task, ReportingTask) else []


def unmet(require: Mapping[str, Bound], scores: Mapping[str, float]) -> list[str]:
    """Return in words each requirement that the scores of a test do not meet, and by how much."""
    told = []
    for name, bound in require.items():
        value = scores.get(name.removeprefix(OF_TEST))
        if value is None or not math.isfinite(value):
            way_out = nearest(name, {f"{OF_TEST}{one}": None for one in scores})
            told.append(f"{name} is not among the scores of this test{way_out}")
        elif broken := bound.broken_by(value):
            told.append(f"{name} is {value:.4f}, {broken}")
    return told
