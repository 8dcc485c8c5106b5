"""An experiment: stages in order, each a search in its own folder, then the final of the best of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.atomic import write_json, write_text
from orchestrator.errors import RunFailed, UserError
from orchestrator.final import retrain
from orchestrator.journal import Journal, read_journal
from orchestrator.ledger import Ledger
from orchestrator.provenance import write_provenance
from orchestrator.reading import read_experiment
from orchestrator.records import Search as SearchRecord
from orchestrator.records import Stage
from orchestrator.run_folder import RunFolder
from orchestrator.running import folds_of, read_ledger, run_search
from orchestrator.selection import Winner, winner_of
from orchestrator.session import Session
from orchestrator.spec import ExperimentSpec, SearchSpec, as_data, differences, from_data
from orchestrator.strict_yaml import write_yaml
from orchestrator.table import note_on_openings, rows_of, table_csv, table_markdown
from orchestrator.task_loading import load_task


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
    def from_run(cls, folder: RunFolder) -> "Experiment | None":
        """Read it from a run's journal; None where the run is not an experiment."""
        entries = read_journal(folder.journal)
        data = entries[0][0].spec if entries and isinstance(entries[0][0], SearchRecord) else {}
        if "stages" not in data:
            return None
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


def run_experiment(
    experiment: Experiment, folder: RunFolder, session: Session, *, reopen: bool = False
) -> dict[str, Any]:
    """Run or continue an experiment to its end; return the content of test.json."""
    journal = Journal(folder.journal)
    try:
        _begin(experiment, folder, journal)
        known = {record.name: record.winner for record, _at in journal.entries if isinstance(record, Stage)}
        for name, spec in experiment.searches.items():
            session.progress.say(
                f"stage {name}" + (f", from the winner of {spec.start_from}" if spec.start_from else "")
            )
            ledger = run_search(spec, folder.stage(name), session)
            winner = winner_of(ledger, folder.stage(name)).trial
            if known.setdefault(name, winner) != winner:
                raise RunFailed(
                    f"{folder.path}: stage {name} now has another winner (trial {winner}, was {known[name]}), from "
                    "which the later stages did not start; give the longer experiment a --name of its own"
                )
            if name not in {record.name for record, _at in journal.entries if isinstance(record, Stage)}:
                journal.append(Stage(name=name, winner=winner))
        best, chosen = best_stage(experiment, folder)
        write_json(folder.winner, {"stage": best, **chosen.as_data()})
        tested = retrain(folder.stage(best), folder.final, seeds=experiment.seeds, session=session, reopen=reopen)
        consolidate_experiment(experiment, folder)
    finally:
        journal.close()
    return tested


def begin_experiment(experiment: Experiment, folder: RunFolder) -> int:
    """Journal that an experiment was begun; return how many fits its first stage has, at most.

    Raises UserError where the folder holds another one.
    """
    folder.create()
    journal = Journal(folder.journal)
    try:
        _begin(experiment, folder, journal)
    finally:
        journal.close()
    first = next(iter(experiment.searches.values()))
    return first.total * first.seeds * folds_of(first, load_task(first.task))


def best_stage(experiment: Experiment, folder: RunFolder) -> tuple[str, Winner]:
    """Return which of the candidate stages has the best winner, by validation alone; of equal ones the first."""
    winners = {name: winner_of(read_ledger(folder.stage(name)), folder.stage(name)) for name in experiment.candidates}
    sign = 1.0 if next(iter(winners.values())).mode == "max" else -1.0
    best = max(winners, key=lambda name: sign * winners[name].interval.mean)
    return best, winners[best]


def consolidate_experiment(experiment: Experiment, folder: RunFolder) -> str:
    """Write one table over all stages, and return it as Markdown."""
    ledgers = {name: Ledger(read_journal(folder.stage(name).journal)) for name in experiment.searches}
    runs = {name: rows_of(ledger, alive=False) for name, ledger in ledgers.items() if ledger.spec is not None}
    write_text(folder.table_csv, table_csv(runs))
    mode = experiment.searches[experiment.candidates[0]].mode
    text = table_markdown(runs, title=f"{folder.name}: validation", mode=mode) + note_on_openings(folder)
    write_text(folder.table_md, text)
    return text


def _begin(experiment: Experiment, folder: RunFolder, journal: Journal) -> None:
    data = experiment.as_data()
    if not journal.entries:
        journal.append(SearchRecord(spec=data))
        write_text(folder.spec, write_yaml(data))
        facts = {name: load_task(spec.task).describe() for name, spec in experiment.searches.items()}
        seeds = {name: {"seed": spec.seed, "seeds": spec.seeds} for name, spec in experiment.searches.items()}
        write_provenance(folder, facts=facts, seeds=seeds)
        return
    first = journal.entries[0][0]
    if not isinstance(first, SearchRecord):
        raise RunFailed(f"{journal.path}:1: the first record must be the experiment; restore the file from a copy")
    changes = [
        f"{name}: {change}"
        for name in dict.fromkeys([*first.spec.get("stages", {}), *data["stages"]])
        for change in differences(first.spec.get("stages", {}).get(name, {}), data["stages"].get(name, {}))
    ]
    changes += [f"final: {change}" for change in differences(first.spec.get("final", {}), data["final"])]
    if changes:
        raise UserError(
            f"{folder.path}: holds an experiment with another spec; give another --name, or undo the difference:",
            *(f"    {change}" for change in changes),
        )


def _chained(spec: ExperimentSpec, searches: Mapping[str, SearchSpec]) -> dict[str, SearchSpec]:
    return {
        name: search.model_copy(update={"start_from": spec.stages[name].start_from or search.start_from})
        for name, search in searches.items()
    }
