"""Which hyperparameters the scores of a search depended on, as bars (search/importance.py)."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.html_report.drawing import STRONG, draw
from orchestrator.html_report.section import Figure

MOST = 12  # bars of a search


def importance_chart(shares: Mapping[str, Mapping[str, float]], folder: Path) -> Figure | None:
    """Draw the shares of each search; None where no search has any. shares: by search, the largest first."""
    shown = {name: dict(list(found.items())[:MOST]) for name, found in shares.items() if found}
    if not shown:
        return None
    tallest = max(map(len, shown.values()))
    with draw(folder, "importance", panels=len(shown), height=0.8 + 0.22 * tallest) as panels:
        for axes, (name, found) in zip(panels, shown.items(), strict=True):
            names = list(reversed(found))
            bars = axes.barh(names, [found[one] for one in names], color=STRONG, height=0.6)
            axes.bar_label(bars, [f" {found[one]:.0%}" for one in names], fontsize=8)
            axes.set(title=name, xlim=(0, 1.1), xticks=[])
            axes.spines["bottom"].set_visible(False)
    told = "; ".join(
        f"{name}: {', '.join(f'{one} {share:.0%}' for one, share in found.items())}" for name, found in shown.items()
    )
    return Figure(
        name="importance",
        caption="On which hyperparameters the validation scores depended (fANOVA: shares of what the configuration "
        f"explains; conditional ones are left out). {told}.",
    )
