"""What the YAML files may say, as frozen models that are checked once and trusted afterwards.

Reads no file (see reading.py).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from orchestrator.specs.dimensions import AnyDimension, Entry
from orchestrator.specs.methods import Prune, Race, Tpe, race_or_none
from orchestrator.specs.requirements import AnyBound
from orchestrator.specs.space import extremes_of, grid_configs
from orchestrator.specs.strict_model import StrictModel
from orchestrator.task import Config, Scalar

STEPS = "max_steps"  # the one name of a space that is no hyperparameter of the task: see steps.py

FROM_SCRATCH = "-from-scratch"  # after a stage's name: its winner without the weights that the stage starts from


class TaskSpec(StrictModel):
    """Which task, and what its constructor is given."""

    name: str = Field(pattern=r"^\w+(\.\w+)*:\w+$")
    with_: dict[str, Scalar] = Field(default_factory=dict, alias="with")


class Budget(StrictModel):
    """What a search may use; spent, it stops with everything saved."""

    minutes: float | None = Field(default=None, gt=0)  # wall-clock while fits run
    gpu_hours: float | None = Field(default=None, gt=0)  # of its fits on a cluster: duration x share of a GPU

    @model_validator(mode="after")
    def _has_one(self) -> "Budget":
        if self.minutes is None and self.gpu_hours is None:
            raise ValueError("must say minutes or gpu_hours, or both")
        return self


class SearchSpec(StrictModel):
    """One search: what is tried, how it is chosen, what is optimised."""

    task: TaskSpec
    start_from: str | None = None  # the name of a run beside this one, from whose winner's weights every fit starts
    metric: str
    mode: Literal["max", "min"] = "max"
    max_steps: int = Field(ge=1)
    stop_at: int | None = Field(default=None, ge=1)  # fits end after so many steps of a schedule over max_steps
    score_at: Literal["last", "common_best", "own_best"] = "last"  # the step at which a trial's fits are judged
    baseline: bool = True  # the first trial (of each cell) is the task's defaults, untuned
    winner: Literal["simplest", "best"] = "simplest"  # of those that cannot be told from the best, or the best mean
    sampler: Literal["grid", "random", "tpe", "gp"]
    trials: int | None = Field(default=None, ge=1)
    enqueue: list[dict[str, Scalar]] = Field(default_factory=list)  # tried after the default, the rest at defaults
    startup_trials: int = Field(default=10, ge=1)  # of each cell, before a sampler that learns is asked
    startup: Literal["near_defaults", "qmc", "random"] = "near_defaults"  # how these are drawn: see search/draws.py
    tpe: Tpe = Tpe()
    window: int | None = Field(default=1000, ge=10)  # a sampler sees so many trials at most: see search/window.py
    seed: int = Field(default=0, ge=0)
    seeds: int = Field(default=1, ge=1)
    folds: int | None = Field(default=None, ge=1)
    prune: Prune | None = None
    race: Annotated[Race | None, BeforeValidator(race_or_none)] = None
    budget: Budget | None = None
    concurrency: int = Field(default=1, ge=1)  # fits at a time
    stall_s: float | None = Field(default=None, ge=0)  # so long may a fit be silent: see search/silence.py
    on_out_of_memory: Literal["fail", "halve_batch"] = "fail"  # of a GPU: see search/retries.py
    cpus_per_fit: int = Field(
        default=1, ge=1
    )  # threads of a fit; part of the spec, since sums round differently with more
    space: dict[str, Entry] = Field(min_length=1)
    configurations: list[dict[str, Scalar]] | None = None  # of a grid: these alone, in this order; the program's own

    @property
    def grid(self) -> list[dict[str, Scalar]]:
        """The configurations of a grid, in the order in which they are tried."""
        return grid_configs(self.space) if self.configurations is None else self.configurations

    @property
    def total(self) -> int:
        """How many trials the search has: `trials`, of a grid at most its size and what is tried before it.

        Where a grid has the default, that is tried first, and its own place in the grid is a duplicate, which is free.
        """
        before = self.has_baseline + len(self.enqueue) if self.varies else 0
        size = len(self.grid) + before if self.sampler == "grid" else None
        return min(number for number in (self.trials, size) if number is not None)

    @property
    def halves_batches(self) -> bool:
        """Whether a fit that runs out of a GPU's memory tries once with half its batch."""
        return self.on_out_of_memory == "halve_batch"

    @property
    def varies(self) -> bool:
        """Whether the space has more to try than the values that are fixed."""
        return any(isinstance(entry, AnyDimension) for entry in self.space.values())

    @property
    def has_baseline(self) -> bool:
        """Whether the default is tried first. Where nothing varies, there is nothing to compare it with."""
        return self.baseline and self.varies

    def steps_of(self, config: Config) -> int:
        """Return for how many steps a configuration is trained."""
        return int(config.get(STEPS) or self.max_steps)

    @property
    def most_steps(self) -> int:
        """The steps of the longest fit."""
        return max(self.max_steps, *(int(value or 0) for value in extremes_of(self.space.get(STEPS, self.max_steps))))


# What a resume may change, of a search and of a final; everything else is part of what they are.
CHANGEABLE = ("trials", "budget", "concurrency", "stall_s")
CHANGEABLE_OF_FINAL = ("register", "require")
_FINALS = ("final.", "experiment.final.")  # of an experiment, and of an audit's


def _path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) else value


class RefineSpec(StrictModel):
    """A search that is written when its stage begins, around what an earlier stage found: see refinement.py."""

    refine: str  # the earlier stage
    points: int = Field(default=3, ge=3)  # values of each number, the winner's included
    trials: int = Field(default=30, ge=1)  # at most


class StageSpec(StrictModel):
    """One stage: a search of a file, or around what an earlier stage found; a later one may start from its winner."""

    search: Annotated[Path | None, BeforeValidator(_path)] = None
    start_from: str | None = None
    refine: str | None = None
    points: int = Field(default=3, ge=3)
    trials: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "StageSpec":
        if (self.search is None) == (self.refine is None):
            raise ValueError("must say either search, a file, or refine, a stage above it")
        given = self.model_fields_set
        if self.refine is not None and "start_from" in given:
            raise ValueError(f"starts from what {self.refine} starts from, since it refines that; leave start_from out")
        if self.refine is None and given & {"points", "trials"}:
            raise ValueError("points and trials belong to refine; a search says in its file what it tries")
        if self.points % 2 == 0:
            raise ValueError(f"points must be odd, the winner's value being in the middle, got {self.points}")
        return self

    @property
    def refinement(self) -> RefineSpec | None:
        """What it refines, and how; None: it has a file of its own."""
        if self.refine is None:
            return None
        return RefineSpec(refine=self.refine, points=self.points, trials=self.trials)


DEFAULT = "default"  # in `beside`: the untuned configuration


class FinalSpec(StrictModel):
    """Which stages compete (by validation), and what is made of the winner: see runs/final_run.py."""

    stages: list[str] = Field(min_length=1)
    form: Literal["retrained", "judged"] = "retrained"
    of: Literal["winner", "ties"] = "winner"  # judged: of the winner's fits, or of those of all that tie with it
    seeds: int = Field(default=3, ge=1)  # retrained
    from_scratch: bool = True  # the winner of a stage that starts from weights competes without them, too
    beside: list[str] = Field(default_factory=list)  # tested in the same opening: see runs/beside.py
    # Under which name MLflow registers it (None: the run's), and what its test must say for it to become the champion
    # there: see results/promotion.py. (`register` itself is a method that every class of pydantic's has.)
    register_as: str | None = Field(default=None, alias="register", pattern=r"^\w[\w .-]*$", max_length=100)
    require: dict[str, AnyBound] = Field(default_factory=dict)


class ExperimentSpec(StrictModel):
    """Stages in the order they run, then the final."""

    stages: dict[str, StageSpec] = Field(min_length=1)
    final: FinalSpec


def as_data(spec: SearchSpec) -> dict[str, Any]:
    """Return the resolved spec as plain data, defaults filled in."""
    return spec.model_dump(mode="json", by_alias=True)


def of_one_configuration(spec: SearchSpec, config: Config) -> SearchSpec:
    """Return the search of a single configuration, over the same fits: nobody to be pruned by or to race against."""
    whole = {"sampler": "grid", "trials": None, "prune": None, "race": None, "baseline": False, "configurations": None}
    return spec.model_copy(update={**whole, "space": dict(config)})


# By which rules a search goes on whose journal is older than these keys.
EARLIER: Mapping[str, Any] = {
    "score_at": "own_best",
    "baseline": False,
    "winner": "best",
    "startup": "random",
    "tpe": Tpe(group=False),
    "window": None,
}


EARLIER_FINAL: Mapping[str, Any] = {"from_scratch": False}


def from_data(data: Mapping[str, Any]) -> SearchSpec:
    """Turn the journal's spec back into one. `facts`, which data was searched, is no part of what a user may say."""
    return SearchSpec.model_validate({**EARLIER, **{key: value for key, value in data.items() if key != "facts"}})


def by_rules_of(begun: Mapping[str, Any], spec: SearchSpec) -> SearchSpec:
    """Return the spec with the rules by which an earlier version began it, as far as its file does not name others."""
    kept = {key: rule for key, rule in EARLIER.items() if key not in begun and key not in spec.model_fields_set}
    return spec.model_copy(update=kept)


def as_today(begun: Mapping[str, Any]) -> dict[str, Any]:
    """Return a journal's spec as it would be written today, the rules of its time filled in."""
    return {**as_data(from_data(begun)), **({"facts": begun["facts"]} if "facts" in begun else {})}


def differences(old: Mapping[str, Any], new: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Yield each difference between two specs that makes them different searches, as `key: old > new`."""
    for key in dict.fromkeys([*old, *new]):
        if (not place and key in CHANGEABLE) or (place in _FINALS and key in CHANGEABLE_OF_FINAL):
            continue
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from differences(before, after, f"{place}{key}.")
        elif before != after:
            yield f"{place}{key}: {before!r} > {after!r}"
