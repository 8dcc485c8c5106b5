"""How a search goes about it, as YAML says it: options of the samplers, who is stopped early, who is raced out."""

from typing import Any

from pydantic import Field, model_validator

from orchestrator.specs.strict_model import StrictModel


class Tpe(StrictModel):
    """Options of the sampler tpe."""

    multivariate: bool = True  # dimensions are drawn together, not each for itself
    group: bool = True  # those that are active together are; without it, only those that always are
    constant_liar: bool = True  # trials that still run count as poor ones, so that others are tried beside them

    @model_validator(mode="after")
    def _grouped_together(self) -> "Tpe":
        if self.group and not self.multivariate:
            raise ValueError("group needs multivariate; give group: false, too")
        return self


class SuccessiveHalving(StrictModel):
    """Asynchronous successive halving: at min_steps, min_steps * factor, ... the best 1/factor go on."""

    min_steps: int = Field(default=1, ge=1)
    factor: int = Field(default=3, ge=2)


class Hyperband(SuccessiveHalving):
    """Successive halvings side by side: some begin at min_steps, some later; which trial is in which goes by lot."""


class Median(StrictModel):
    """Who is worse than the median of the complete trials at the same step is stopped."""

    startup_trials: int = Field(default=5, ge=1)  # so many complete trials first
    warmup_steps: int = Field(default=0, ge=0)  # nobody is stopped at these


class Prune(StrictModel):
    """Who is stopped early, by the scores of the trial's first fit: one of these rules."""

    successive_halving: SuccessiveHalving | None = None
    hyperband: Hyperband | None = None
    median: Median | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Prune":
        if sum(rule is not None for rule in (self.successive_halving, self.hyperband, self.median)) != 1:
            raise ValueError("must say one of successive_halving, hyperband and median")
        return self

    @property
    def words(self) -> str:
        """What it is called."""
        return "hyperband" if self.hyperband else "the median rule" if self.median else "successive halving"


class Race(StrictModel):
    """A trial's further fits are not run once its fits so far say that it cannot win: see search/racing.py."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)


def race_or_none(value: Any) -> Any:
    """Read `race: true` as a race with its defaults, `race: false` as none."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value
