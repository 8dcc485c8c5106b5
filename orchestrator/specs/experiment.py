"""An experiment as one value: its stages' searches, chained, and its final. Runs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.specs.reading import read_experiment
from orchestrator.specs.specs import ExperimentSpec, SearchSpec, as_data, from_data


@dataclass(frozen=True)
class Experiment:
    """An experiment with everything read: its searches by stage, chained, and its final."""

    searches: Mapping[str, SearchSpec]
    candidates: tuple[str, ...]
    seeds: int

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """Read it from YAML. Raises UserError with all mistakes."""
        spec, searches = read_experiment(path)
        return cls(_chained(spec, searches), tuple(spec.final.stages), spec.final.seeds)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Experiment":
        """Turn what `as_data` gave back into an experiment."""
        searches = {name: from_data(search) for name, search in data["stages"].items()}
        return cls(searches, tuple(data["final"]["stages"]), data["final"]["seeds"])

    def as_data(self) -> dict[str, Any]:
        """Return the resolved experiment as plain data."""
        stages = {name: as_data(spec) for name, spec in self.searches.items()}
        return {"stages": stages, "final": {"stages": list(self.candidates), "seeds": self.seeds}}

    @property
    def cpus(self) -> int:
        """The CPUs that its widest stage uses."""
        return max(spec.concurrency * spec.cpus_per_fit for spec in self.searches.values())


def _chained(spec: ExperimentSpec, searches: Mapping[str, SearchSpec]) -> dict[str, SearchSpec]:
    return {
        name: search.model_copy(update={"start_from": spec.stages[name].start_from or search.start_from})
        for name, search in searches.items()
    }
