"""How a search goes about it, as YAML says it: options of the samplers, who is stopped early."""

from pydantic import Field

from orchestrator.specs.strict_model import StrictModel


class SuccessiveHalving(StrictModel):
    """Asynchronous successive halving: at min_steps, min_steps * factor, ... the best 1/factor go on."""

    min_steps: int = Field(default=1, ge=1)
    factor: int = Field(default=3, ge=2)


class Prune(StrictModel):
    """Who is stopped early, by the scores of the trial's first fit."""

    successive_halving: SuccessiveHalving
