"""One table of several searches, stages of an experiment or any runs: ranked only within what is comparable."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.atomic import read_json
from orchestrator.errors import UserError, raise_if_any
from orchestrator.history.driver_lock import is_held
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import experiment_of, read_ledger, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.comparable import Group, grouped, question_of, why_apart
from orchestrator.results.curves import write_curves
from orchestrator.results.ranked_table import RankedTable, ranked
from orchestrator.results.table import JUDGED_AT, PLACE, Row, columns_of, csv_of, note_on_openings, table_csv
from orchestrator.results.table_files import FOR_PEOPLE, rows_in, write_formats, write_tables
from orchestrator.results.table_markdown import as_markdown
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.space import nearest

Searches = Mapping[str, tuple[Ledger, RunFolder]]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is printed of a table, and how; the files have all of it."""

    columns: tuple[str, ...] = ()  # none: all
    best: int | None = None  # so many rows of each ranking
    form: str = "md"  # of FORMATS


def consolidate(folders: Sequence[RunFolder], *, as_json: bool, place: Path, choice: Choice = Choice()) -> str:
    """Write each run's tables; return one table over all of them, as text or as JSON rows.

    place: a folder, in which the table of several runs is written, too, as consolidated.csv, .md, .tex and .html.
    Raises UserError for a column that there is not.
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
    rows = {name: rows_in(found, ledger, alive=alive[name]) for name, (ledger, found) in searches.items()}
    groups = _groups(searches, first=competing)
    remarks = [note.strip() for folder in folders if (note := note_on_openings(folder))]
    title = ", ".join(folder.name for folder in folders)
    consolidated = place / "consolidated.csv"
    if len(folders) > 1:
        write_formats(consolidated, _csv(rows, groups), _ranked(rows, groups, title=title), remarks=remarks)
    chosen = _ranked(rows, groups, title=title, choice=choice)
    if as_json or choice.form == "csv":
        written = _csv_of(chosen, rows) if choice.columns or choice.best else _csv(rows, groups)
        return json.dumps(list(csv.DictReader(io.StringIO(written)))) if as_json else written.rstrip("\n")
    printed = FOR_PEOPLE[choice.form](chosen, remarks=remarks)
    if choice.form == "md" and len(folders) > 1:
        printed += f"\ntable {consolidated}, and beside it as .md, .tex and .html\n"
    return printed


def consolidate_experiment(experiment: Experiment, folder: RunFolder) -> str:
    """Write one table over all stages, and return it as Markdown; what competes for the final stands first."""
    ledgers = {stage.name: (Ledger(read_journal(stage.journal)), stage) for stage in searches_of(folder)}
    searches = {name: found for name, found in ledgers.items() if found[0].spec is not None}
    rows = {name: rows_in(stage, ledger, alive=False) for name, (ledger, stage) in searches.items()}
    groups = _groups(searches, first=experiment.candidates)
    tables = _ranked(rows, groups, title=f"{folder.name}: validation")
    remarks = [*_on_starts(folder), *([note.strip()] if (note := note_on_openings(folder)) else [])]
    write_formats(folder.table_csv, _csv(rows, groups), tables, remarks=remarks)
    return as_markdown(tables, remarks=remarks)


def _groups(searches: Searches, *, first: Sequence[str] = ()) -> list[Group]:
    return grouped({name: question_of(ledger, folder) for name, (ledger, folder) in searches.items()}, first=first)


def _csv(rows: Mapping[str, list[Row]], groups: Sequence[Group]) -> str:
    """Return all rows, of several runs with the number of the group in which each may be ranked."""
    numbers = {name: number for number, group in enumerate(groups, 1) for name in group.names}
    return table_csv(rows, groups=numbers if len(rows) > 1 else {})


def _csv_of(tables: Sequence[RankedTable], rows: Mapping[str, list[Row]]) -> str:
    """Return the rows of ranked tables with the columns that were asked for, else with all."""
    every = [*columns_of(rows), *(["group"] if len(rows) > 1 else [])]
    columns = tables[0].columns if tables[0].is_chosen else every
    return csv_of(columns, [row for table in tables for row in table.rows])


def _ranked(
    rows: Mapping[str, list[Row]],
    groups: Sequence[Group],
    *,
    title: str,
    choice: Choice = Choice(),
) -> list[RankedTable]:
    """Return a ranked table for each group, and of all but the first why they are not ranked with that."""
    known = dict.fromkeys([*columns_of(rows), *(PLACE if len(rows) > 1 else ())])
    raise_if_any(
        [f"--columns: there is no {name}{nearest(name, known)}" for name in choice.columns if name not in known]
    )
    tables = []
    for number, group in enumerate(groups, 1):
        asked = group.question
        named = title if len(groups) == 1 else f"{title}: {', '.join(group.names)}, by {asked.metric} ({asked.mode})"
        tables.append(
            ranked(
                {name: [{**row, "group": str(number)} for row in rows[name]] for name in group.names},
                title=named,
                mode=asked.mode,
                judged_at=JUDGED_AT[asked.judged],
                most=choice.best,
                columns=choice.columns,
                remarks=[] if group is groups[0] else [why_apart(group, groups[0])],
            )
        )
    return tables


def _on_starts(folder: RunFolder) -> list[str]:
    """Return what the starts from other weights were worth, where the experiment has come to its winner."""
    told = read_json(folder.winner) if folder.winner.exists() else {}
    return list(told.get("starts", []))
