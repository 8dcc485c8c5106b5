"""A run as it is read for people, once: its searches, what competes, who won and against what, what the test said.

Read from files alone, in whatever state the run is. An audit is none of these (audit_table.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.openings import read_test
from orchestrator.history.run_contents import candidates_of, experiment_of, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.selection import Contender, Winner, winner_among
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import SearchSpec, TaskSpec

Searches = Sequence[tuple[Ledger, RunFolder]]


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeRun:
    """A search or an experiment, as far as it has come."""

    folder: RunFolder
    experiment: Experiment | None
    searches: Searches  # that have begun, in order
    competing: Searches  # those of them whose winners compete
    final: Ledger | None  # of the final's fits, where it has begun
    tested: dict[str, Any] | None  # the content of test.json, where it is there

    @classmethod
    def read(cls, folder: RunFolder) -> "WholeRun":
        """Read it from its files."""
        experiment = experiment_of(folder)
        begun = [(Ledger(read_journal(one.journal)), one) for one in searches_of(folder)]
        searches = [(ledger, one) for ledger, one in begun if ledger.spec is not None]
        named = {one.name for one in candidates_of(experiment, folder)} if experiment else {folder.name}
        final = Ledger(read_journal(folder.final.journal))
        return cls(
            folder=folder,
            experiment=experiment,
            searches=searches,
            competing=[(ledger, one) for ledger, one in searches if one.name in named],
            final=final if final.spec is not None else None,
            tested=read_test(folder.final) if folder.final.test.exists() else None,
        )

    @property
    def spec(self) -> SearchSpec | None:
        """The search whose task is tested; None where nothing has begun."""
        return self.competing[0][0].spec if self.competing else self.searches[0][0].spec if self.searches else None

    @cached_property
    def choice(self) -> tuple[Winner, Contender, list[Contender]] | None:
        """Who won, and all that cannot be told from the best mean, the best first; None where nothing is complete."""
        return winner_among(self.competing) if any(ledger.ranked() for ledger, _ in self.competing) else None

    @cached_property
    def default(self) -> Contender | None:
        """The untuned default that competes: of the winner's own search, where that has one."""
        if self.choice is None:
            return None
        own = self.choice[1].folder.path
        ordered = sorted(self.competing, key=lambda one: one[1].path != own)
        found = (Contender(folder, ledger, trial) for ledger, folder in ordered for trial in ledger.ranked())
        return next((one for one in found if one.is_default), None)

    @property
    def tested_winner(self) -> bool:
        """Whether the tested model is of the trial that wins today: a search that went on may have another."""
        if self.tested is None or self.choice is None:
            return False
        winner = self.choice[0]
        return (self.tested["stage"], self.tested["trial"]) == (winner.search, winner.trial)

    @property
    def is_finished(self) -> bool:
        """Whether every search has all its trials."""
        stages = len(self.experiment.searches) if self.experiment else 1
        return len(self.searches) >= stages and all(
            ledger.spec is not None and len(ledger.told()) >= ledger.spec.total for ledger, _ in self.searches
        )

    def name_of(self, one: Contender) -> str:
        """Return what a trial is called: with its search, where there are several."""
        return f"{one.folder.name}/{one.trial.number}" if self.experiment else f"trial {one.trial.number}"


def data_name(task: TaskSpec) -> str:
    """Return what people call the data of a task: its folder's or recipe's name, else that of the task."""
    data = task.with_.get("data")
    return Path(str(data)).stem if data else task.name.partition(":")[2]
