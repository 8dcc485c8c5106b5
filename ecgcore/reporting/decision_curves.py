"""Decision curves: whether acting on the answers would do more good than treating everybody, or nobody."""

from pathlib import Path

import numpy as np

from ecgcore.reporting.curves import most_frequent
from ecgcore.reporting.figure_file import COLOURS, QUIET, MaxNLocator, drawn, legible
from ecgcore.reporting.section import Figure, Section
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import records_text
from ecgcore.scores.net_benefit import benefit_of_treating_all, net_benefit

THRESHOLDS = np.linspace(0.01, 0.99, 99)
PANELS, COLUMNS = 6, 3  # classes that are drawn: the most frequent


def decision_section(tested: Tested, figures: Path) -> Section | None:
    """Return the section; None where no class has both records with it and records without it."""
    truth = tested.labels > 0.5
    there = [int(index) for index in most_frequent(tested.labels) if 0 < truth[:, index].sum() < len(truth)]
    if not there:
        return None
    chosen = there[:PANELS]
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    with drawn(figures, "decision_curves", height=2.6 if rows == 1 else 4.2) as drawing:
        panels = drawing.subplots(rows, columns, squeeze=False, sharex=True).ravel()
        for index, axes in zip(chosen, panels, strict=False):
            model = net_benefit(tested.scores[:, index], truth[:, index], THRESHOLDS)
            everybody = benefit_of_treating_all(truth[:, index], THRESHOLDS)
            axes.axhline(0, color=QUIET, linestyle=":", linewidth=1, label="nobody")
            axes.plot(THRESHOLDS, everybody, color=COLOURS[1], linestyle="--", linewidth=1, label="everybody")
            axes.plot(THRESHOLDS, model, color=COLOURS[0], linewidth=1.5, label="by the model")
            top = max(float(truth[:, index].mean()), float(model.max()))
            axes.set(title=legible(tested.classes[index]), ylim=(-0.3 * top, 1.1 * top), xlim=(0, 1))
            axes.yaxis.set_major_locator(MaxNLocator(4))
        for axes in panels[len(chosen) :]:
            axes.set_axis_off()
        drawing.supxlabel("threshold probability", fontsize=9)
        drawing.supylabel("net benefit", fontsize=9)
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    caption = (
        f"Decision curves of the test's {records_text(len(truth))}, "
        + (f"its {PANELS} most frequent classes, " if len(there) > PANELS else "")
        + "each against all others: net benefit (true positives less false ones at the odds of the threshold, as a "
        "share of all records; Vickers, Elkin 2006) of treating who has at least the threshold's probability, beside "
        "treating everybody and nobody. Only the range of thresholds that a clinician would choose counts, and only if "
        "classes are as frequent as where the model is to be used."
    )
    return Section(title="Decision curves", about="test", figures=(Figure(name="decision_curves", caption=caption),))
