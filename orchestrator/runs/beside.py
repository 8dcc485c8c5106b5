"""Models that are tested beside the winner, in the same opening of the test part: named before it, so none is chosen.

`final: {beside: [default, STAGE]}`: the untuned default, and the winners of stages, each made a model as the winner is.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import RunFailed
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
        """Score it on the test part, which is opened by now; return what test.json says of it.

        What goes wrong is said there: the winner's score, for which the part was opened, must not be lost by it.
        """
        told = {
            "stage": self.one.folder.name,
            "trial": self.one.trial.number,
            "config": dict(self.one.trial.config),
        }
        try:
            scores = session.call(self.spec.task, "test", self.paths, self.place.path, self.judged)
        except Exception as error:  # a task's, of any kind
            return {**told, "left_out": f"{type(error).__name__}: {error}"}
        return {**told, "metrics": {name: float(value) for name, value in scores.items() if math.isfinite(value)}}


def made_beside(
    how: FinalSpec,
    winner: Contender,
    *,
    sources: Sequence[RunFolder],
    stages: Sequence[RunFolder],
    final: RunFolder,
    make: Made,
    say: Callable[[str], None],
) -> list[Companion]:
    """Make each model that is asked for, but for one that is the winner itself, is nowhere complete, or fails.

    sources: the searches that compete, of which the untuned default is; stages: all that the experiment has. What is
    left out is said.
    """
    companions = []
    for name in how.beside:
        one = _contender(name, winner, sources=sources, stages=stages)
        if one is None:
            say(f"beside: {name}: is left out, since none that competes is complete")
            continue
        if (one.folder.path, one.trial.number) == (winner.folder.path, winner.trial.number):
            say(f"beside: {name}: is the winner itself")
            continue
        place = RunFolder(final.path / f"beside-{name}")
        try:
            with make([one], place) as search:
                paths = own_checkpoints(search.ledger, place)
                judged = one.checkpoints if how.form == "retrained" else paths
                made = Companion(name=name, one=one, place=place, spec=search.spec, paths=paths, judged=judged)
        except RunFailed as error:
            say(f"beside: {name}: is left out: {error}")
            continue
        companions.append(made)
    return companions


def _contender(
    name: str, winner: Contender, *, sources: Sequence[RunFolder], stages: Sequence[RunFolder]
) -> Contender | None:
    named = next((stage for stage in stages if stage.name == name), None)
    if named is not None:
        return winner_among([(read_ledger(named), named)])[1]
    # The default of the search that won first: that of another may be trained for another number of steps.
    competing = sorted(sources, key=lambda source: source.path != winner.folder.path)
    searches = [(read_ledger(source), source) for source in competing if read_journal(source.journal)]
    defaults = (Contender(folder, ledger, trial) for ledger, folder in searches for trial in ledger.ranked())
    return next((one for one in defaults if one.is_default), None)
