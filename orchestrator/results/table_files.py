"""The files of a table: as CSV, Markdown, LaTeX and as a page, each the same for the same journal."""

from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.atomic import write_text
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.ranked_table import RankedTable, ranked
from orchestrator.results.table import Row, judged_at, note_on_openings, rows_of, table_csv
from orchestrator.results.table_latex import as_latex
from orchestrator.results.table_markdown import as_markdown
from orchestrator.results.table_page import as_page
from orchestrator.search.budget import gpus_per_fit

FOR_PEOPLE: dict[str, Callable[..., str]] = {"md": as_markdown, "tex": as_latex, "html": as_page}
FORMATS = ("md", "csv", "tex", "html")


def write_tables(ledger: Ledger, folder: RunFolder, *, alive: bool) -> None:
    """Write the table of a search in every format."""
    assert ledger.spec is not None
    runs = {folder.name: rows_in(folder, ledger, alive=alive)}
    title = f"{folder.name}: {ledger.spec.metric} ({ledger.spec.mode})"
    table = ranked(runs, title=title, mode=ledger.spec.mode, judged_at=judged_at([ledger.spec]))
    write_formats(folder.table_csv, table_csv(runs), [table], remarks=_stripped(note_on_openings(folder)))


def write_formats(place: Path, csv: str, tables: Sequence[RankedTable], *, remarks: Sequence[str]) -> None:
    """Write a table to `place`, which ends with .csv, and beside it as people read it."""
    write_text(place, csv)
    for ending, written in FOR_PEOPLE.items():
        write_text(place.with_suffix(f".{ending}"), written(tables, remarks=remarks))


def rows_in(folder: RunFolder, ledger: Ledger, *, alive: bool) -> list[Row]:
    """Return the rows of a search, with the GPU-seconds where it is known what each fit has of a GPU."""
    return rows_of(ledger, alive=alive, gpus_per_fit=gpus_per_fit(folder) or 0.0)


def _stripped(note: str) -> list[str]:
    return [note.strip()] if note else []
