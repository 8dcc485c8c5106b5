"""One table of several searches, stages of an experiment or any runs: ranked only within what is comparable."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.atomic import read_json, write_text
from orchestrator.errors import UserError
from orchestrator.history.driver_lock import is_held
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import experiment_of, read_ledger, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.comparable import Group, grouped, question_of, why_apart
from orchestrator.results.curves import write_curves
from orchestrator.results.table import (
    JUDGED_AT,
    Row,
    note_on_openings,
    rows_of,
    table_csv,
    table_markdown,
    write_tables,
)
from orchestrator.specs.experiment import Experiment

Searches = Mapping[str, tuple[Ledger, RunFolder]]


def consolidate(folders: Sequence[RunFolder], *, as_json: bool, place: Path) -> str:
    """Write each run's tables; return one table over all of them, as Markdown or as JSON rows.

    place: a folder, in which the table of several runs is written, too, as consolidated.csv and consolidated.md.
    """
    searches: dict[str, tuple[Ledger, RunFolder]] = {}
    alive, competing = {}, list[str]()
    for folder in folders:
        experiment = experiment_of(folder)
        if experiment:
            consolidate_experiment(experiment, folder)
            competing += [f"{folder.name}/{name}" for name in experiment.candidates]
        for found in searches_of(folder):
            if not found.journal.exists():
                continue
            ledger = read_ledger(found)
            write_tables(ledger, found, alive=is_held(folder))
            write_curves(ledger, found)
            name = f"{folder.name}/{found.name}" if experiment else found.name
            searches[name], alive[name] = (ledger, found), is_held(folder)
    if not searches:
        raise UserError(f"{', '.join(folder.name for folder in folders)}: no stage has begun yet, so there is no table")
    rows = {name: rows_of(ledger, alive=alive[name]) for name, (ledger, _) in searches.items()}
    groups = _groups(searches, first=competing)
    notes = "".join(note_on_openings(folder) for folder in folders)
    markdown = _markdown(rows, groups, title=", ".join(folder.name for folder in folders)) + notes
    written = _csv(rows, groups)
    if len(folders) > 1:
        write_text(place / "consolidated.csv", written)
        write_text(place / "consolidated.md", markdown)
        markdown += f"\ntable {place / 'consolidated.csv'}, {place / 'consolidated.md'}\n"
    return json.dumps(list(csv.DictReader(io.StringIO(written)))) if as_json else markdown


def consolidate_experiment(experiment: Experiment, folder: RunFolder) -> str:
    """Write one table over all stages, and return it as Markdown; what competes for the final stands first."""
    ledgers = {stage.name: (Ledger(read_journal(stage.journal)), stage) for stage in searches_of(folder)}
    searches = {name: found for name, found in ledgers.items() if found[0].spec is not None}
    rows = {name: rows_of(ledger, alive=False) for name, (ledger, _) in searches.items()}
    groups = _groups(searches, first=experiment.candidates)
    write_text(folder.table_csv, _csv(rows, groups))
    text = _markdown(rows, groups, title=f"{folder.name}: validation") + _on_starts(folder) + note_on_openings(folder)
    write_text(folder.table_md, text)
    return text


def _groups(searches: Searches, *, first: Sequence[str] = ()) -> list[Group]:
    return grouped({name: question_of(ledger, folder) for name, (ledger, folder) in searches.items()}, first=first)


def _csv(rows: Mapping[str, list[Row]], groups: Sequence[Group]) -> str:
    """Return all rows, of several runs with the number of the group in which each may be ranked."""
    numbers = {name: number for number, group in enumerate(groups, 1) for name in group.names}
    return table_csv(rows, groups=numbers if len(rows) > 1 else {})


def _markdown(rows: Mapping[str, list[Row]], groups: Sequence[Group], *, title: str) -> str:
    """Return a ranked table for each group, and of all but the first why they are not ranked with that."""
    texts = []
    for group in groups:
        asked = group.question
        named = title if len(groups) == 1 else f"{title}: {', '.join(group.names)}, by {asked.metric} ({asked.mode})"
        table = table_markdown(
            {name: rows[name] for name in group.names},
            title=named,
            mode=asked.mode,
            judged_at=JUDGED_AT[asked.judged],
        )
        texts.append(table if group is groups[0] else f"{table}\n{why_apart(group, groups[0])}\n")
    return "\n".join(texts)


def _on_starts(folder: RunFolder) -> str:
    """Return what the starts from other weights were worth, where the experiment has come to its winner."""
    told = read_json(folder.winner) if folder.winner.exists() else {}
    return "".join(f"\n{sentence}\n" for sentence in told.get("starts", []))
