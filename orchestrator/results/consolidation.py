"""One table of several searches: of the stages of an experiment, or of any runs that share a metric's direction."""

import csv
import io
import json
from collections.abc import Sequence

from orchestrator.atomic import write_text
from orchestrator.errors import UserError
from orchestrator.history.driver_lock import is_held
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import experiment_of, read_ledger, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.table import judged_at, note_on_openings, rows_of, table_csv, table_markdown, write_tables
from orchestrator.specs.experiment import Experiment


def consolidate(folders: Sequence[RunFolder], *, as_json: bool) -> str:
    """Write each run's tables; return one table over all of them, as Markdown or as JSON rows."""
    runs: dict[str, list[dict[str, str]]] = {}
    modes, specs = set(), []
    for folder in folders:
        experiment = experiment_of(folder)
        if experiment:
            consolidate_experiment(experiment, folder)
        for found in searches_of(folder):
            if not found.journal.exists():
                continue
            ledger = read_ledger(found)
            assert ledger.spec is not None
            write_tables(ledger, found, alive=is_held(folder))
            modes.add(ledger.spec.mode)
            specs.append(ledger.spec)
            name = f"{folder.name}/{found.name}" if experiment else found.name
            runs[name] = rows_of(ledger, alive=is_held(folder))
    if not modes:
        raise UserError(f"{', '.join(folder.name for folder in folders)}: no stage has begun yet, so there is no table")
    if len(modes) > 1:
        raise UserError("the runs cannot share a table: in some the best value is the largest, in others the smallest")
    if as_json:
        return json.dumps(list(csv.DictReader(io.StringIO(table_csv(runs)))))
    notes = "".join(note_on_openings(folder) for folder in folders)
    title = ", ".join(folder.name for folder in folders)
    return table_markdown(runs, title=title, mode=modes.pop(), judged_at=judged_at(specs)) + notes


def consolidate_experiment(experiment: Experiment, folder: RunFolder) -> str:
    """Write one table over all stages, and return it as Markdown."""
    ledgers = {name: Ledger(read_journal(folder.stage(name).journal)) for name in experiment.searches}
    runs = {name: rows_of(ledger, alive=False) for name, ledger in ledgers.items() if ledger.spec is not None}
    write_text(folder.table_csv, table_csv(runs))
    mode = experiment.searches[experiment.candidates[0]].mode
    judged = judged_at(ledger.spec for ledger in ledgers.values() if ledger.spec is not None)
    title = f"{folder.name}: validation"
    text = table_markdown(runs, title=title, mode=mode, judged_at=judged) + note_on_openings(folder)
    write_text(folder.table_md, text)
    return text
