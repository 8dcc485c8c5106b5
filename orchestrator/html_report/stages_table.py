"""The stages of an experiment, each with its winner: what was tried, what came out, from where it started."""

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import State
from orchestrator.html_report.section import Table
from orchestrator.results.failure_digest import failure_counts
from orchestrator.results.score_text import duration, with_interval
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import interval_of
from orchestrator.search.selection import winner_of
from orchestrator.specs.start_from import in_words


def trial_counts(ledger: Ledger) -> str:
    """Return what became of all trials of a search, and how many fits failed in which way."""
    assert ledger.spec is not None
    states = [trial.state if trial.state.is_finished else State.INCOMPLETE for trial in ledger.trials.values()]
    counts = ", ".join(f"{states.count(state)} {state}" for state in State if state in states)
    failed = ", ".join(f"{number} fits: {name}" for name, number in failure_counts(ledger).items())
    return f"{counts or 'no trial'}, of {ledger.spec.total} trials" + (f"; failed {failed}" if failed else "")


def stages_table(run: WholeRun) -> Table:
    """Return a row for each search that has begun, and for each stage that has not."""
    competing = {folder.name for _, folder in run.competing}
    rows = []
    for ledger, folder in run.searches:
        spec = ledger.spec
        assert spec is not None
        error = next((trial.error for trial in ledger.trials.values() if trial.error), None)
        won, validated = f"none: {error.splitlines()[0]}" if error else "none", ""
        if ledger.ranked():
            winner = winner_of(ledger, folder)
            over = interval_of(ledger, ledger.trials[winner.trial])
            won = f"trial {winner.trial}"
            validated = f"{spec.metric} {with_interval(over.mean, over.low, over.high)} over {winner.over}"
        rows.append(
            (
                folder.name,
                "yes" if folder.name in competing else "no",
                trial_counts(ledger),
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
