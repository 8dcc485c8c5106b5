"""The course of a search: each trial's value, the best so far, the untuned default as a line."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.drawing import FAINT, SECOND, STRONG, draw
from orchestrator.html_report.section import Figure
from orchestrator.results.whole_run import Searches


def history_chart(searches: Searches, folder: Path) -> Figure | None:
    """Draw a panel for each search that has two complete trials or more; None: there is none."""
    shown = [(ledger, one) for ledger, one in searches if len(ledger.ranked()) > 1]
    if not shown:
        return None
    with draw(folder, "search_history", panels=len(shown), height=2.3) as panels:
        for axes, (ledger, one) in zip(panels, shown, strict=True):
            _panel(axes, ledger, one)
    return Figure(
        name="search_history",
        caption="Search history. Each dot is the validation mean of one complete trial, in the order in which trials "
        "were begun; the line is the best so far, the dashed line the untuned default. "
        + " ".join(_in_words(ledger, one) for ledger, one in shown),
    )


def _panel(axes: Axes, ledger: Ledger, folder: RunFolder) -> None:
    spec = ledger.spec
    assert spec is not None
    trials = sorted(ledger.ranked(), key=lambda trial: trial.number)
    numbers, values = [trial.number for trial in trials], [trial.value or 0.0 for trial in trials]
    better = max if spec.mode == "max" else min
    so_far = [better(values[: end + 1]) for end in range(len(values))]
    axes.scatter(numbers, values, s=16, color=FAINT, label="trial", zorder=2)
    axes.step(numbers, so_far, where="post", color=STRONG, linewidth=1.8, label="best so far", zorder=3)
    default = next((trial.value for trial in trials if trial.origin == "default"), None)
    if default is not None:
        axes.axhline(default, color=SECOND, linestyle="--", linewidth=1.2, label="untuned default", zorder=1)
    axes.set(title=folder.name, xlabel="trial", ylabel=f"{spec.metric} (validation)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=7, frameon=False, loc="best")


def _in_words(ledger: Ledger, folder: RunFolder) -> str:
    best = ledger.ranked(1)[0]
    assert ledger.spec is not None
    return f"{folder.name}: {len(ledger.ranked())} complete trials, the best {best.value:.4g} by trial {best.number}."
