"""Parallel coordinates: each complete trial as a line over the hyperparameters that varied, to its score."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.html_report.drawing import FAINT, SECOND, STRONG, draw
from orchestrator.html_report.section import Figure
from orchestrator.results.score_text import score
from orchestrator.task import Scalar

MOST_AXES, MOST_TRIALS = 9, 200


def parallel_chart(ledger: Ledger, winner: int | None, important: Sequence[str], folder: Path) -> Figure | None:
    """Draw the trials of a search; None where fewer than three are complete or nothing varied.

    important: hyperparameters that come first, where not all have room.
    """
    trials = ledger.ranked(MOST_TRIALS)
    names = _varied(trials, important)[:MOST_AXES]
    if len(trials) < 3 or not names:
        return None
    assert ledger.spec is not None
    scales = [_Scale([trial.config.get(name) for trial in trials]) for name in names]
    scales.append(_Scale([trial.value for trial in trials]))
    titles = [*names, ledger.spec.metric]
    with draw(folder, "parallel_coordinates", height=3.2) as (axes,):
        for trial in reversed(trials):
            values = [*(trial.config.get(name) for name in names), trial.value]
            points = [scale.place(value) for scale, value in zip(scales, values, strict=True)]
            way: dict[str, Any] = {"color": FAINT, "linewidth": 0.6, "zorder": 1}
            if trial.origin == "default":
                way = {"color": SECOND, "linewidth": 1.2, "linestyle": "--", "zorder": 2}
            if trial.number == winner:
                way = {"color": STRONG, "linewidth": 2.0, "zorder": 3}
            axes.plot(range(len(points)), points, **way)
        for number, (title, scale) in enumerate(zip(titles, scales, strict=True)):
            axes.axvline(number, color="black", linewidth=0.5, zorder=0)
            for place, text in scale.marks():
                box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8}
                axes.text(number, place, text, fontsize=6.5, ha="center", va="center", bbox=box, zorder=4)
            axes.text(number, 1.1, title, fontsize=7, rotation=30, ha="left", va="bottom")
        axes.set(xlim=(-0.4, len(titles) - 0.4), ylim=(-0.06, 1.08))
        axes.set_axis_off()
    left_out = len(_varied(trials, important)) - len(names)
    return Figure(
        name="parallel_coordinates",
        caption=f"Each of the {len(trials)} best complete trials is a line from its hyperparameters to its validation "
        "score on the right; the winner is thick, the untuned default dashed; at the bottom (-): not used by a trial."
        + (f" {left_out} more hyperparameters varied." if left_out > 0 else ""),
    )


def _varied(trials: Sequence[TrialEntry], important: Sequence[str]) -> list[str]:
    names = dict.fromkeys([*important, *(name for trial in trials for name in trial.config)])
    return [name for name in names if len({repr(trial.config.get(name)) for trial in trials}) > 1]


class _Scale:
    """Where values lie on an axis from 0 to 1: numbers by size or its logarithm, others by name."""

    def __init__(self, values: Sequence[Scalar]) -> None:
        known = [value for value in values if value is not None]
        self._numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
        self._few = sorted(set(known), key=float if self._numbers else str)
        ends = (float(self._few[0]), float(self._few[-1])) if self._numbers else (0.0, 1.0)
        self._log = self._numbers and ends[0] > 0 and ends[1] / ends[0] >= 20
        self._low, self._high = map(self._scaled, ends)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def place(self, value: Scalar) -> float:
        """Return where a value lies; one that a trial does not have lies below all."""
        if value is None:
            return -0.05
        if not self._numbers:
            return (self._few.index(value) + 0.5) / len(self._few)
        if self._high == self._low:
            return 0.5
        return (self._scaled(float(value)) - self._low) / (self._high - self._low)

    def marks(self) -> list[tuple[float, str]]:
        """Return what is written on the axis, and where."""
        shown = self._few if not self._numbers or len(self._few) <= 4 else [self._few[0], self._few[-1]]
        return [(self.place(value), _short(value)) for value in shown]


def _short(value: Scalar) -> str:
    if isinstance(value, float):
        return f"{value:.2g}" if abs(value) < 0.01 or abs(value) >= 100 else score(value)
    return str(value)[:16]
