"""The page's beginning: what was asked, what came of it, and what has to be known of both."""

from collections.abc import Iterator
from pathlib import Path

from orchestrator.html_report.glance_chart import glance_chart
from orchestrator.html_report.section import Section
from orchestrator.results.against_default import against_default
from orchestrator.results.answer import answer_of
from orchestrator.results.whole_run import WholeRun


def answer_section(run: WholeRun, figures: Path) -> Section:
    """Return question and answer, the ground of the choice, and every warning of the test."""
    found, chart = answer_of(run), glance_chart(run, figures)
    return Section(title=found.question, paragraphs=[found.answer, *_remarks(run)], figures=[chart] if chart else [])


def _remarks(run: WholeRun) -> Iterator[str]:
    if run.choice is not None:
        winner, _, _ = run.choice
        yield f"How it was chosen: {winner.best}."
        beside = against_default(run)
        if beside is not None and beside.difference is not None:
            yield (
                "The winner was chosen by these very validation scores, so its lead in validation is a little too "
                "good; the test was not seen by any choice."
            )
    yield from warnings_of(run)


def warnings_of(run: WholeRun) -> Iterator[str]:
    """Yield what a reader has to know before believing a score."""
    told = run.tested or {}
    if told.get("learnt_nothing"):
        yield f"WARNING: the tested model has learnt nothing: {told['learnt_nothing']}."
    if told.get("note"):
        yield f"NOTE: {told['note']}."
    winner = run.choice[0] if run.choice else None
    for remark in (
        told.get("length") or (winner.length if winner else None),
        told.get("start") or (winner.start if winner else None),
    ):
        if remark:
            yield f"NOTE: {remark}."
