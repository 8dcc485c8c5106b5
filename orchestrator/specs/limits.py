"""How large the numbers of a file may be: beyond these nobody means them, and a computer hangs or a library fails.

They hold where a person's file is read, not where a journal is: what was begun goes on.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.specs.dimensions import AnyDimension, Cell, Integer, Range, Uniform
from orchestrator.specs.space import Space, conditions_of, configurations, grid_is_finite
from orchestrator.specs.specs import ExperimentSpec, SearchSpec
from orchestrator.specs.strict_yaml import Place

STEPS = TRIALS = 1_000_000
FITS_OF_A_TRIAL = 1000  # seeds, folds
MOST_OF_A_GRID = 100_000  # configurations
MOST_STUDIES = 1000  # side by side
MOST_VALUES = 1_000_000  # of a range with a step
LARGEST_BOUND = 1e100

_OF_A_SEARCH: Mapping[str, float] = {
    "max_steps": STEPS,
    "stop_at": STEPS,
    "trials": TRIALS,
    "startup_trials": TRIALS,
    "window": TRIALS,
    "seed": 2**32 - 1,
    "seeds": FITS_OF_A_TRIAL,
    "folds": FITS_OF_A_TRIAL,
    "concurrency": 1024,
    "cpus_per_fit": 1024,
    "stall_s": 31_536_000,  # a year
    "budget.minutes": 5_256_000,  # ten years
    "budget.gpu_hours": 10_000_000,
    "prune.successive_halving.factor": 1000,
    "prune.hyperband.factor": 1000,
    "prune.median.startup_trials": TRIALS,
}
_OF_A_STAGE: Mapping[str, float] = {"points": 99, "trials": TRIALS}


def numbers_too_large(spec: SearchSpec) -> Iterator[tuple[Place, str]]:
    """Yield (place, mistake) for every number of a search that is larger than anybody means."""
    yield from _above(spec, _OF_A_SEARCH, ())
    for name, entry in spec.space.items():
        yield from ((("space", name), f"{name}: {mistake}") for mistake in _range_too_large(entry))
    studies = math.prod(len(entry.grid) for entry in spec.space.values() if isinstance(entry, Cell))
    if studies > MOST_STUDIES:
        yield ("space",), f"space: the values of all `grid` entries make at most {MOST_STUDIES} studies, got {studies}"
    if spec.sampler == "grid" and (size := _grid_size(spec.space)) > MOST_OF_A_GRID:
        yield (
            ("space",),
            f"space: a grid has at most {MOST_OF_A_GRID} configurations, got {size} or more; draw at random",
        )


def stage_numbers_too_large(spec: ExperimentSpec) -> Iterator[tuple[Place, str]]:
    """Yield (place, mistake) for every number of an experiment's own file that is larger than anybody means."""
    for name, stage in spec.stages.items():
        yield from _above(stage, _OF_A_STAGE, ("stages", name))
    yield from _above(spec.final, {"seeds": FITS_OF_A_TRIAL}, ("final",))


def _above(model: Any, limits: Mapping[str, float], above: Place) -> Iterator[tuple[Place, str]]:
    for key, most in limits.items():
        value, path = model, tuple(key.split("."))
        for part in path:
            value = getattr(value, part, None)
        if value is not None and value > most:
            yield (*above, *path), f"{key}: must be at most {most:.15g}, got {value}"


def _range_too_large(entry: Any) -> Iterator[str]:
    if not isinstance(entry, Range):
        return
    low, high = entry.bounds() or (0.0, 0.0)
    if max(abs(low), abs(high)) > LARGEST_BOUND:
        yield f"bounds must lie between -{LARGEST_BOUND:g} and {LARGEST_BOUND:g}, got [{low:g}, {high:g}]"
    elif _size(entry) > MOST_VALUES:
        yield f"a range with steps has at most {MOST_VALUES} values, got {_size(entry)}; give a larger step"


def _size(entry: Any) -> int:
    """Return how many values an entry has, without listing those of a range; 1 where they are infinitely many."""
    if isinstance(entry, Integer | Uniform) and entry.step:
        low, high = entry.bounds()
        return math.floor(min((high - low) / entry.step, 1e18) + 1e-9) + 1
    return len(entry.values() or [None]) if isinstance(entry, AnyDimension) and not isinstance(entry, Range) else 1


def _grid_size(space: Space) -> int:
    """Return how many configurations a grid has; where conditions make them fewer, as far as the limit and one more."""
    size = math.prod(_size(entry) for entry in space.values())
    if size <= MOST_OF_A_GRID or not any(conditions_of(entry) for entry in space.values()):
        return size
    if not all(grid_is_finite(entry) and _size(entry) <= MOST_OF_A_GRID for entry in space.values()):
        return 1  # another mistake, told elsewhere
    return sum(1 for _ in itertools.islice(configurations(space), MOST_OF_A_GRID + 1))
