"""The shapes in which work arrives and is answered: what a fit is told, and how it speaks.

They repeat the orchestrator's seam structurally, because this package knows nothing of searches; any object
that has these attributes will do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

Scalar = bool | int | float | str | None
Config = Mapping[str, Scalar]
Metrics = Mapping[str, float]


class Fit(Protocol):
    """One (configuration, seed, fold) to be trained."""

    @property
    def config(self) -> Config: ...  # noqa: D102  every hyperparameter by name
    @property
    def seed(self) -> int: ...  # noqa: D102  all draws follow from it
    @property
    def fold(self) -> int: ...  # noqa: D102  which split of the store, from 0
    @property
    def max_steps(self) -> int: ...  # noqa: D102  epochs
    @property
    def directory(self) -> Path: ...  # noqa: D102  the fit's own folder
    @property
    def start_from(self) -> Path | None: ...  # noqa: D102  checkpoint of an earlier stage
    @property
    def resume_from(self) -> Path | None: ...  # noqa: D102  this fit's own checkpoint
    @property
    def final(self) -> bool: ...  # noqa: D102  train on train + validation for exactly max_steps
    @property
    def batch_parts(self) -> int: ...  # noqa: D102  in so many each batch is computed: a GPU had no room for a whole one


class Report(Protocol):
    """How a fit speaks. It may not return: SystemExit here means stop."""

    def __call__(self, step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        """Take epoch `step`'s (1, 2, ...) metrics and its checkpoint's name below the fit's directory."""


class Doing(Protocol):
    """What is told what is being done, and how far it is, while data is prepared."""

    def __call__(self, doing: str, done: int = 0, total: int | None = None) -> None: ...  # noqa: D102
