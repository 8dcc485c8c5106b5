"""The scores that answer the question, one above the other: validation and test, winner and untuned default."""

from pathlib import Path

from orchestrator.html_report.drawing import SECOND, STRONG, draw
from orchestrator.html_report.section import Figure
from orchestrator.results.score_text import with_interval
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import interval_of

Row = tuple[str, float, float | None, float | None, bool]  # name, score, interval, whether it is the winner's


def glance_chart(run: WholeRun, folder: Path) -> Figure | None:
    """Draw a row for each score; None where nothing won."""
    if run.choice is None:
        return None
    rows = _rows(run)
    with draw(folder, "at_a_glance", height=0.7 + 0.32 * len(rows)) as (axes,):
        for place, (_, value, low, high, is_winner) in enumerate(reversed(rows)):
            colour, marker = (STRONG, "o") if is_winner else (SECOND, "s")
            if low is not None and high is not None:
                axes.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
            axes.plot(
                [value],
                [place],
                marker=marker,
                color=colour,
                markersize=6,
                markerfacecolor="white" if not is_winner else colour,
            )
        axes.set_yticks(range(len(rows)), [row[0] for row in reversed(rows)])
        axes.set(xlabel=run.choice[0].metric, ylim=(-0.6, len(rows) - 0.4))
        axes.grid(axis="x", linewidth=0.4, color="#dddddd")
        axes.set_axisbelow(True)
    told = "; ".join(f"{name} {with_interval(value, low, high)}" for name, value, low, high, _ in rows)
    return Figure(
        name="at_a_glance",
        caption=f"{run.choice[0].metric} with 95 % intervals, as far as they are known: {told}. Those of validation "
        "say how fits of one configuration vary, those of the test how the test records do: do not compare them.",
    )


def _rows(run: WholeRun) -> list[Row]:
    assert run.choice is not None
    winner, chosen, _ = run.choice
    rows: list[Row] = []
    if run.default is not None and run.default.trial is not chosen.trial:
        over = interval_of(run.default.ledger, run.default.trial)
        rows.append(("default, validation", over.mean, over.low, over.high, False))
    over = winner.interval
    rows.append(("winner, validation", over.mean, over.low, over.high, True))
    tested = run.tested or {}
    models = {name: one["metrics"] for name, one in tested.get("beside", {}).items() if "metrics" in one}
    for name, metrics, is_winner in [
        *((f"{name}, test", found, False) for name, found in models.items()),
        ("winner, test", tested.get("metrics", {}), True),
    ]:
        if winner.metric in metrics:
            low, high = (metrics.get(f"{winner.metric}_{end}") for end in ("low", "high"))
            rows.append((name, metrics[winner.metric], low, high, is_winner))
    return rows
