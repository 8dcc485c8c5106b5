"""Learning curves: the metric after each step of every fit, the winner's in front."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.drawing import FAINT, SECOND, STRONG, draw
from orchestrator.html_report.section import Figure
from orchestrator.results.whole_run import Searches
from orchestrator.search.selection import winner_among

MOST_FITS = 300  # that are drawn, of the newest trials of each search; more would be a page of megabytes


def curves_chart(searches: Searches, folder: Path) -> Figure | None:
    """Draw a panel for each search of which a fit has reported two steps or more; None: there is none."""
    shown = [
        (ledger, one)
        for ledger, one in searches
        if any(len(fit.metrics) > 1 for trial in ledger.trials.values() for fit in trial.fits.values())
    ]
    if not shown:
        return None
    with draw(folder, "learning_curves", panels=len(shown), height=2.3) as panels:
        for axes, (ledger, one) in zip(panels, shown, strict=True):
            _panel(axes, ledger, one, most=MOST_FITS // len(shown))
    return Figure(
        name="learning_curves",
        caption="Learning curves. Validation score after each step of every fit (grey), of the untuned default's fits "
        "(dashed) and of the fits of the best trial of each search (thick). Scores are compared where the table says, "
        "not at the peak of a curve.",
    )


def _panel(axes: Axes, ledger: Ledger, folder: RunFolder, *, most: int) -> None:
    spec = ledger.spec
    assert spec is not None
    best = winner_among([(ledger, folder)])[1].trial.number if ledger.ranked() else None
    ways: dict[str, dict[str, Any]] = {
        "other fits": {"color": FAINT, "linewidth": 0.5, "alpha": 0.7, "zorder": 1},
        "untuned default": {"color": SECOND, "linewidth": 1.2, "linestyle": "--", "zorder": 2},
        "winner of this search": {"color": STRONG, "linewidth": 1.8, "zorder": 3},
    }
    fits = [(trial, fit) for _, trial in sorted(ledger.trials.items()) for fit in trial.fits.values()]
    kept = {id(fit) for _, fit in fits[-most:]}
    told = set()
    for trial, fit in fits:
        way = "winner of this search" if trial.number == best else "other fits"
        if trial.origin == "default" and trial.number != best:
            way = "untuned default"
        if way == "other fits" and id(fit) not in kept:
            continue
        steps = [step for step in sorted(fit.metrics) if spec.metric in fit.metrics[step]]
        values = [fit.metrics[step][spec.metric] for step in steps]
        axes.plot(steps, values, **ways[way], label=None if way in told else way)
        told.add(way)
    axes.set(title=folder.name, xlabel="step", ylabel=f"{spec.metric} (validation)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=7, frameon=False, loc="best")
