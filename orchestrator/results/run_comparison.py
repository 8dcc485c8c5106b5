"""Two runs, or stages of runs, side by side: by validation fit by fit, by test record by record, and what differs.

Derived from files alone. Where they cannot be compared, that is said, and why.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from orchestrator.atomic import read_json
from orchestrator.errors import RunFailed, UserError, is_users_mistake
from orchestrator.history.run_contents import candidates_of, experiment_of, read_ledger
from orchestrator.history.run_folder import RunFolder, existing_run, runs_root
from orchestrator.results.stage_differences import difference_by_fits, why_other_fits
from orchestrator.search.intervals import varying
from orchestrator.search.selection import Contender, winner_among
from orchestrator.specs.specs import CHANGEABLE, as_data
from orchestrator.specs.task_loading import task_class_of
from orchestrator.task import ComparableTask

# What of a spec answers no question of its own: facts of the data, what a resume may change, what a refinement lists.
UNASKED = ("facts", "configurations", *CHANGEABLE)


@dataclass(frozen=True)
class Compared:
    """One of the things that are compared."""

    name: str  # as it was asked for
    folder: RunFolder

    @property
    def is_stage(self) -> bool:
        """Whether it is a stage of an experiment."""
        return RunFolder(self.folder.path.parent).journal.exists()

    def winner(self) -> Contender:
        """Return its best trial. Raises RunFailed where none is complete, UserError where it holds no search."""
        experiment = experiment_of(self.folder)
        folders = [self.folder] if experiment is None else candidates_of(experiment, self.folder)
        return winner_among([(read_ledger(one), one) for one in folders if one.journal.exists()])[1]

    def tested(self) -> Path:
        """Return the folder with the predictions of its test; of a stage, where it won or was tested beside the winner.

        Raises UserError where it was not tested, or left none.
        """
        final = (RunFolder(self.folder.path.parent) if self.is_stage else self.folder).final
        if not final.test.exists():
            raise UserError(f"{self.name} has no test")
        won = not self.is_stage or read_json(final.test)["stage"] == self.folder.name
        place = final.path if won else final.path / f"beside-{self.folder.name}"
        if not (place / "predictions.csv").exists():
            raise UserError(f"{self.name} was not tested, or its predictions.csv is gone")
        return place


def compared_run(name: str, runs: Path | None) -> Compared:
    """Find RUN or RUN/STAGE. Raises UserError where it is neither."""
    path = runs_root(runs) / name
    is_stage = RunFolder(path).journal.exists() and RunFolder(path.parent).journal.exists()
    return Compared(name, RunFolder(path) if is_stage else existing_run(name, runs))


def comparison(one: Compared, other: Compared) -> dict[str, Any]:
    """Return how the second differs from the first, as plain data: `validation`, `test`, `config` and `spec`.

    The first two say why under `not`, where they cannot be compared; the others list `what` differs, and both values.
    """
    told: dict[str, Any] = {"one": one.name, "other": other.name}
    try:
        winners = one.winner(), other.winner()
    except (RunFailed, UserError) as error:
        told |= {"validation": {"not": str(error)}, "config": [], "spec": []}
    else:
        first, second = (as_data(winner.ledger.spec) for winner in winners if winner.ledger.spec is not None)
        asked = [{key: spec[key] for key in spec if key not in UNASKED} for spec in (first, second)]
        told |= {
            "validation": _by_fits(*winners),
            "config": _changes(winners[0].trial.config, winners[1].trial.config),
            "spec": _changes(asked[0], asked[1]),
        }
    try:
        told["test"] = _by_records(one, other)
    except ValueError as error:
        if not is_users_mistake(error):
            raise
        told["test"] = {"not": str(error)}
    return told


def _by_fits(one: Contender, other: Contender) -> dict[str, Any]:
    assert one.ledger.spec is not None
    means = [fmean(winner.ledger.scores(winner.trial)) for winner in (one, other)]
    said: dict[str, Any] = {
        "metric": one.ledger.spec.metric,
        "trials": [f"{winner.folder.name} {winner.trial.number}" for winner in (one, other)],
    }
    found = difference_by_fits(one, other)
    if found is None:
        return {**said, "means": means, "not": why_other_fits(one, other)}
    fits, difference = found
    shared = [
        fmean(score for fit, score in winner.ledger.scores_by_fit(winner.trial).items() if fit in fits)
        for winner in (one, other)
    ]
    return {**said, "means": shared, "over": varying(fits), **asdict(difference)}


def _by_records(one: Compared, other: Compared) -> Mapping[str, Any]:
    places = one.tested(), other.tested()
    tasks = {_task_of(of) for of in (one, other)}
    if len(tasks) > 1:
        raise UserError(f"they are of other tasks, {' and '.join(sorted(tasks))}")
    (name,) = tasks
    task = task_class_of(name)
    if not issubclass(task, ComparableTask):
        raise UserError(f"{name} cannot compare tests: it has no `compare_tests`")
    return task.compare_tests(*places)


def _task_of(of: Compared) -> str:
    final = (RunFolder(of.folder.path.parent) if of.is_stage else of.folder).final
    spec = read_ledger(final).spec
    assert spec is not None
    return spec.task.name


def _changes(one: Mapping[str, Any], other: Mapping[str, Any], place: str = "") -> list[dict[str, Any]]:
    """Return what differs: where, and both values; a dimension of a space is one value."""
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys([*one, *other]):
        before, after = one.get(name), other.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping) and place != "space.":
            found += _changes(before, after, f"{place}{name}.")
        elif before != after:
            found.append({"what": f"{place}{name}", "one": before, "other": after})
    return found
