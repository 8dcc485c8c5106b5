"""The course of the search: history, configurations, learning curves."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.html_report.curves_chart import curves_chart
from orchestrator.html_report.history_chart import history_chart
from orchestrator.html_report.parallel_chart import parallel_chart
from orchestrator.html_report.section import Figure, Section
from orchestrator.results.whole_run import WholeRun


def search_section(run: WholeRun, importance: Mapping[str, Mapping[str, float]], figures: Path) -> Section:
    """Draw what there is of it."""
    drawn = [
        history_chart(run.searches, figures),
        _parallel(run, importance, figures),
        curves_chart(run.searches, figures),
    ]
    shown = [figure for figure in drawn if figure is not None]
    return Section(
        title="Search history",
        paragraphs=[]
        if shown
        else ["No fit has reported two steps, and no search has two complete trials: nothing to draw."],
        figures=shown,
    )


def _parallel(run: WholeRun, importance: Mapping[str, Mapping[str, float]], figures: Path) -> Figure | None:
    """Draw the search that has the winner, or, where that tried too little, the longest."""
    if run.choice is None:
        return None
    chosen = run.choice[1]
    ledger, folder = max(
        run.competing,
        key=lambda one: (one[1].path == chosen.folder.path and len(one[0].ranked()) > 2, len(one[0].ranked())),
    )
    winner = chosen.trial.number if folder.path == chosen.folder.path else None
    return parallel_chart(ledger, winner, list(importance.get(folder.name, {})), figures)
