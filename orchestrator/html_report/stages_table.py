"""The stages of an experiment, each with its winner: what was tried, what came out, from where it started."""

from orchestrator.html_report.section import Table
from orchestrator.results.score_text import duration, with_interval
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import interval_of
from orchestrator.search.selection import winner_of
from orchestrator.specs.start_from import in_words


def stages_table(run: WholeRun) -> Table:
    """Return a row for each search that has begun, and for each stage that has not."""
    competing = {folder.name for _, folder in run.competing}
    rows = []
    for ledger, folder in run.searches:
        spec = ledger.spec
        assert spec is not None
        won, validated = "none complete", ""
        if ledger.ranked():
            winner = winner_of(ledger, folder)
            over = interval_of(ledger, ledger.trials[winner.trial])
            won = f"trial {winner.trial}"
            validated = f"{spec.metric} {with_interval(over.mean, over.low, over.high)} over {winner.over}"
        rows.append(
            (
                folder.name,
                "yes" if folder.name in competing else "no",
                f"{len(ledger.told())} of {spec.total}",
                won,
                validated,
                in_words(spec.start_from) if spec.start_from else "nothing",
                duration(ledger.elapsed_s),
            )
        )
    begun = {folder.name for _, folder in run.searches}
    waiting = [name for name in (run.experiment.searches if run.experiment else ()) if name not in begun]
    rows += [(name, "", "not begun", "", "", "", "") for name in waiting]
    return Table(
        caption="Stages, each with its own winner. In brackets: 95 % t-interval of what varies between its fits.",
        columns=("stage", "competes", "trials", "winner", "validation", "starts from", "time at work"),
        rows=rows,
    )
