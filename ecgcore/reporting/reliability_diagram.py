"""Reliability diagram: of what is said with probability p, how much is right; each class's calibration as a table."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.reporting.class_scores import varies
from ecgcore.reporting.figure_file import COLOURS, FAINT, Axes, drawn
from ecgcore.reporting.section import Figure, Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import records_text, score_text
from ecgcore.scores.metrics import BINS, brier, calibration_error
from ecgcore.scores.reliability import Bin, reliability_bins


def reliability_section(tested: Tested, weights: NDArray[np.float64], figures: Path) -> Section:
    """Return the section."""
    if tested.multilabel:
        claimed, right = tested.scores, tested.labels > 0.5
        what = "the probability of each class of each record, and how often the class is there"
    else:
        best = tested.scores.argmax(axis=1)[:, None]
        claimed = np.take_along_axis(tested.scores, best, axis=1)
        right = np.take_along_axis(tested.labels, best, axis=1) > 0.5
        what = "the probability of the most probable class, and how often that is right"
    bins = reliability_bins(claimed, right, tested.patients, weights)
    error = calibration_error(tested.scores, tested.labels, multilabel=tested.multilabel)
    with drawn(figures, "reliability", height=4.5) as drawing:
        above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _draw_bins(above, bins)
        below.bar([_middle(one) for one in bins], [one.count for one in bins], width=0.9 / BINS, color=COLOURS[0])
        below.set(xlabel="probability", ylabel="answers", xlim=(0, 1))
    caption = (
        f"Reliability diagram of the test's {records_text(len(tested.records))}: {what}, in {BINS} bins, "
        f"{varies(tested)} On the dashed line probabilities are true. Below: answers in each bin. Expected calibration "
        f"error: {score_text(error)}" + (", the mean over the classes." if tested.multilabel else ".")
    )
    return Section(
        title="Can the probabilities be believed?",
        about="test",
        tables=(_table(tested),),
        figures=(Figure(name="reliability", caption=caption),),
    )


def _draw_bins(axes: Axes, bins: list[Bin]) -> None:
    claimed, right = [one.claimed for one in bins], [one.right.value for one in bins]
    reach = [[one.right.value - one.right.low for one in bins], [one.right.high - one.right.value for one in bins]]
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
    axes.errorbar(claimed, right, yerr=np.maximum(reach, 0), marker="o", markersize=4, capsize=2, color=COLOURS[0])
    axes.set(ylabel="share that is right", ylim=(-0.02, 1.02))


def _middle(one: Bin) -> float:
    return (min(int(one.claimed * BINS), BINS - 1) + 0.5) / BINS


def _table(tested: Tested) -> Table:
    rows = []
    for index, name in enumerate(tested.classes):
        scores, labels = tested.scores[:, [index]], tested.labels[:, [index]]
        error = calibration_error(scores, labels, multilabel=True)
        values = (float(scores.mean()), float(labels.mean()), error, brier(scores, labels))
        rows.append([name, *(score_text(value) for value in values)])
    caption = (
        "Each class by itself: the mean of its probabilities beside the share of records that have it, which are equal "
        "where the probabilities are right on the whole; calibration error and Brier score are the better the smaller."
    )
    columns = ("class", "mean probability", "share of records", "calibration error", "Brier score")
    return Table(caption=caption, columns=columns, rows=rows)
