"""Under which name a tested model is registered, and whether it becomes the champion there. Imports no MLflow.

`final: {register: NAME, require: {test/macro_auc: 0.85}}`: where all is met, the version gets the alias `champion`;
else it is registered all the same, and the alias stays where it was.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.history.run_contents import experiment_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.requirements import Bound, unmet

CHAMPION = "champion"


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What is to become of a tested model. Nothing required: nobody has said what a champion is, and none is named."""

    name: str
    require: Mapping[str, Bound] = field(default_factory=dict)
    unmet: Sequence[str] = ()

    @property
    def is_champion(self) -> bool:
        """Whether the version gets the alias."""
        return bool(self.require) and not self.unmet

    @property
    def sentence(self) -> str | None:
        """Return in one line what was decided, and why; None where nothing was required."""
        if not self.require:
            return None
        if self.unmet:
            return f"{self.name} does not get the alias {CHAMPION}, which stays where it was: {'; '.join(self.unmet)}"
        asked = ", ".join(f"{name} {bound}" for name, bound in self.require.items())
        return f"{self.name} gets the alias {CHAMPION}: its test is as required ({asked})"

    @property
    def identity(self) -> str:
        """Return a short hash of what was asked for: another name or requirement is decided anew."""
        asked = {name: [bound.at_least, bound.at_most] for name, bound in self.require.items()}
        return hashlib.sha256(json.dumps([self.name, asked], sort_keys=True).encode()).hexdigest()[:16]


def promotion_of(folder: RunFolder, tested: Mapping[str, Any]) -> Promotion | None:
    """Return what becomes of a run's final; None of one that has learnt nothing, which is not registered."""
    if tested.get("learnt_nothing"):
        return None
    plain, experiment = unasked(folder), experiment_of(folder)
    if experiment is None:
        return plain
    how = experiment.final
    name = how.register_as or plain.name
    return Promotion(name=name, require=how.require, unmet=unmet(how.require, tested["metrics"]))


def unasked(folder: RunFolder) -> Promotion:
    """Return what becomes of the model of a run that says nothing of it: it is registered under the run's name."""
    return Promotion(name=folder.name.replace(":", "_"))  # MLflow takes no colon
