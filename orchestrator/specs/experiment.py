"""An experiment as one value: its stages' searches, chained, and its final. Runs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.specs.reading import is_experiment, read_experiment, read_search
from orchestrator.specs.specs import ExperimentSpec, FinalSpec, SearchSpec, as_data, by_rules_of, from_data


@dataclass(frozen=True)
class Experiment:
    """An experiment with everything read: its searches by stage, chained, and its final."""

    searches: Mapping[str, SearchSpec]
    final: FinalSpec

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """Read it from YAML. Raises UserError with all mistakes."""
        spec, searches = read_experiment(path)
        return cls(_chained(spec, searches), spec.final)

    @classmethod
    def of_file(cls, path: Path) -> "Experiment":
        """Read an experiment, or a search space as one of a single stage whose judged fits are averaged."""
        if is_experiment(path):
            return cls.read(path)
        return cls({path.stem: read_search(path)}, FinalSpec(stages=[path.stem], form="judged"))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Experiment":
        """Turn what `as_data` gave back into an experiment."""
        searches = {name: from_data(search) for name, search in data["stages"].items()}
        return cls(searches, FinalSpec.model_validate(data["final"]))

    def as_data(self) -> dict[str, Any]:
        """Return the resolved experiment as plain data."""
        stages = {name: as_data(spec) for name, spec in self.searches.items()}
        return {"stages": stages, "final": self.final.model_dump()}

    def by_rules_of(self, begun: Mapping[str, Any]) -> "Experiment":
        """Return the experiment with the rules by which an earlier version began it."""
        stages = begun.get("stages", {})
        return replace(
            self,
            searches={
                name: by_rules_of(stages[name], spec) if name in stages else spec
                for name, spec in self.searches.items()
            },
        )

    @property
    def candidates(self) -> tuple[str, ...]:
        """The stages that compete for the final."""
        return tuple(self.final.stages)

    @property
    def tested(self) -> SearchSpec:
        """The first of them: all are of the task that is tested."""
        return self.searches[self.candidates[0]]

    @property
    def seeds(self) -> int:
        """Over how many seeds a final is retrained."""
        return self.final.seeds

    @property
    def cpus(self) -> int:
        """The CPUs that its widest stage uses."""
        return max(spec.concurrency * spec.cpus_per_fit for spec in self.searches.values())


def _chained(spec: ExperimentSpec, searches: Mapping[str, SearchSpec]) -> dict[str, SearchSpec]:
    return {
        name: search.model_copy(update={"start_from": spec.stages[name].start_from or search.start_from})
        for name, search in searches.items()
    }
