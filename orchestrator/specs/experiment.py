"""An experiment as one value: its stages' searches, chained, and its final. Runs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.specs.reading import is_experiment, read_experiment, read_search
from orchestrator.specs.specs import (
    EARLIER_FINAL,
    FROM_SCRATCH,
    FinalSpec,
    RefineSpec,
    SearchSpec,
    as_data,
    by_rules_of,
    from_data,
)


@dataclass(frozen=True)
class Experiment:
    """An experiment with everything read: its searches by stage, chained, and its final."""

    searches: Mapping[
        str, SearchSpec
    ]  # of a stage that refines another, as far as it is known before that has a winner
    final: FinalSpec
    refinements: Mapping[str, RefineSpec] = field(default_factory=dict)  # by stage

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """Read it from YAML. Raises UserError with all mistakes."""
        spec, searches = read_experiment(path)
        refinements = {name: stage.refinement for name, stage in spec.stages.items()}
        return cls(searches, spec.final, {name: refine for name, refine in refinements.items() if refine})

    @classmethod
    def of_file(cls, path: Path) -> "Experiment":
        """Read an experiment, or a search space as one of a single stage whose winner is retrained."""
        if is_experiment(path):
            return cls.read(path)
        return cls({path.stem: read_search(path)}, FinalSpec(stages=[path.stem]))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Experiment":
        """Turn what `as_data` gave back into an experiment."""
        searches = {name: from_data(search) for name, search in data["stages"].items()}
        refinements = {name: RefineSpec.model_validate(refine) for name, refine in data.get("refine", {}).items()}
        return cls(searches, FinalSpec.model_validate({**EARLIER_FINAL, **data["final"]}), refinements)

    def as_data(self) -> dict[str, Any]:
        """Return the resolved experiment as plain data."""
        stages = {name: as_data(spec) for name, spec in self.searches.items()}
        refine = {name: refinement.model_dump() for name, refinement in self.refinements.items()}
        return {
            "stages": stages,
            **({"refine": refine} if refine else {}),
            "final": self.final.model_dump(by_alias=True),
        }

    def by_rules_of(self, begun: Mapping[str, Any]) -> "Experiment":
        """Return the experiment with the rules by which an earlier version began it."""
        stages, final = begun.get("stages", {}), begun.get("final", {})
        earlier = {
            key: rule
            for key, rule in EARLIER_FINAL.items()
            if key not in final and key not in self.final.model_fields_set
        }
        return replace(
            self,
            final=self.final.model_copy(update=earlier),
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
    def companions(self) -> dict[str, str]:
        """By name of a search of its own, the candidate whose winner competes from scratch, too."""
        started = [name for name in self.candidates if self.searches[name].start_from is not None]
        return {f"{name}{FROM_SCRATCH}": name for name in started if self.final.from_scratch}

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
