"""How long a fit is trained, where that is a question of the search: `max_steps` as a dimension of its space.

It is the orchestrator's own: the task is told it as the fit's max_steps, and not among the hyperparameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.specs.specs import STEPS, SearchSpec
from orchestrator.task import Parameter, Scalar


@dataclass(frozen=True, kw_only=True)
class StepsParameter:
    """What a task would say of max_steps, were it the task's."""

    default: int
    kind: Literal["integer"] = "integer"
    low: float | None = 1
    high: float | None = 1_000_000
    choices: tuple[Scalar, ...] = ()
    help: str = "steps that a fit is trained for"
    only_with: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)


def with_steps(parameters: Mapping[str, Parameter], spec: SearchSpec) -> dict[str, Parameter]:
    """Return what a space may name: the task's hyperparameters, and max_steps where this space does."""
    return {**parameters, **({STEPS: StepsParameter(default=spec.max_steps)} if STEPS in spec.space else {})}


def with_default_steps(defaults: Mapping[str, Scalar], spec: SearchSpec) -> dict[str, Scalar]:
    """Return the default of everything that the space may name."""
    return {**defaults, **({STEPS: spec.max_steps} if STEPS in spec.space else {})}
