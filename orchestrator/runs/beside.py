"""Models that are tested beside the winner, in the same opening of the test part: named before it, so none is chosen.

`final: {beside: [default, STAGE]}`: the untuned default, and the winners of stages, each made a model as the winner is.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.execution.session import Session
from orchestrator.history.journal import read_journal
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.final_members import own_checkpoints
from orchestrator.search.search import Search
from orchestrator.search.selection import Contender, winner_among
from orchestrator.specs.specs import FinalSpec, SearchSpec

Made = Callable[[Sequence[Contender], RunFolder], AbstractContextManager[Search]]


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A model that was made and not yet tested."""

    name: str
    one: Contender
    place: RunFolder
    spec: SearchSpec
    paths: list[Path]
    judged: list[Path]

    def tested(self, session: Session) -> dict[str, Any]:
        """Score it on the test part, which is opened by now; return what test.json says of it."""
        scores = session.call(self.spec.task, "test", self.paths, self.place.path, self.judged)
        return {
            "stage": self.one.folder.name,
            "trial": self.one.trial.number,
            "config": dict(self.one.trial.config),
            "metrics": dict(scores),
        }


def made_beside(
    how: FinalSpec, stages: Sequence[RunFolder], winner: Contender, final: RunFolder, make: Made
) -> list[Companion]:
    """Make each model that is asked for, but for one that is the winner itself, or is nowhere complete.

    stages: all that the experiment has.
    """
    asked = {name: _contender(name, stages, winner) for name in how.beside}
    companions = []
    for name, one in asked.items():
        if one is None or (one.folder.path, one.trial.number) == (winner.folder.path, winner.trial.number):
            continue
        place = RunFolder(final.path / f"beside-{name}")
        with make([one], place) as search:
            paths = own_checkpoints(search.ledger, place)
            judged = one.checkpoints if how.form == "retrained" else paths
            companions.append(Companion(name=name, one=one, place=place, spec=search.spec, paths=paths, judged=judged))
    return companions


def _contender(name: str, stages: Sequence[RunFolder], winner: Contender) -> Contender | None:
    searches = [(read_ledger(stage), stage) for stage in stages if read_journal(stage.journal)]
    for ledger, folder in searches:
        if folder.name == name:
            return winner_among([(ledger, folder)])[1]
    defaults = (Contender(folder, ledger, trial) for ledger, folder in searches for trial in ledger.ranked())
    return next((one for one in defaults if one.is_default and _asked(one) == _asked(winner)), None)


def _asked(one: Contender) -> tuple[object, ...]:
    """Return of what task a search is and by what it judges: a pretraining's default is nobody's here."""
    assert one.ledger.spec is not None
    return one.ledger.spec.task, one.ledger.spec.metric
