"""What the run cost: time, and what is known of hardware and energy. What is not known is said, never guessed."""

import csv
from collections.abc import Iterator
from datetime import datetime

from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.section import Section, Table
from orchestrator.results.score_text import duration
from orchestrator.results.whole_run import WholeRun


def cost_section(run: WholeRun) -> Section:
    """Return a row for each search and the final, and what of the rest is known."""
    parts = [(folder.name, ledger) for ledger, folder in run.searches]
    if run.final is not None:
        parts.append(("final", run.final))
    rows = [_row(name, ledger) for name, ledger in parts]
    return Section(
        title="Cost",
        paragraphs=list(_said(run, [ledger for _, ledger in parts])),
        tables=[
            Table(
                caption="Time at work: at least one fit was in a worker. Time of fits: of all fits, added up.",
                columns=("part", "fits", "time at work", "time of fits"),
                rows=rows,
            )
        ]
        if rows
        else [],
    )


def _row(name: str, ledger: Ledger) -> tuple[str, ...]:
    fits = sum(len(trial.fits) for trial in ledger.trials.values())
    return name, str(fits), duration(ledger.elapsed_s), duration(ledger.fit_seconds)


def _said(run: WholeRun, ledgers: list[Ledger]) -> Iterator[str]:
    moments = [at for path in run.folder.all_journals() for at in _ends(RunFolder(path.parent))]
    if moments:
        wall = (max(moments) - min(moments)).total_seconds()
        yield f"From the first journal entry to the last: {duration(wall)}, pauses and waiting included."
    total = sum(ledger.fit_seconds for ledger in ledgers)
    gpu_hours = _gpu_hours(run.folder)
    yield f"All fits together: {duration(total)} in workers." + (
        f" GPU-hours of the fits, by the cluster's account: {gpu_hours:.2f}."
        if gpu_hours is not None
        else " GPU-hours are not known: on which device fits ran is not written down outside a cluster."
    )
    yield "CO2 is not known: no energy was measured, and none is guessed from hours."


def _ends(folder: RunFolder) -> list[datetime]:
    entries = read_journal(folder.journal)
    return [entries[0][1], entries[-1][1]] if entries else []


def _gpu_hours(folder: RunFolder) -> float | None:
    """Return what cluster/accounting.py wrote beside the table, where it counted GPUs."""
    path = folder.path / "accounting.csv"
    if not path.exists():
        return None
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    hours = [row["gpu_hours"] for row in rows if row.get("gpu_hours")]
    return sum(map(float, hours)) if hours else None
