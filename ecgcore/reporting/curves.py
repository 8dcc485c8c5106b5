"""ROC and precision-recall curves of each class, with the point at which the model decides."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from ecgcore.reporting.figure_file import FAINT, QUIET, Axes, drawn, legible, styles
from ecgcore.reporting.section import Figure, Section
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import listed, records_text, score_text
from ecgcore.scores.metrics import class_auc, class_pr_auc

COLOURED = 8  # classes with a line of their own; of more, the most frequent
POINTS, FEW_POINTS = 150, 60  # of a curve, at most; of one without a colour

Floats = NDArray[np.float64]


def curves_section(tested: Tested, figures: Path) -> Section | None:
    """Return the section; None where no class has both records with it and records without it."""
    areas, pr_areas = class_auc(tested.scores, tested.labels), class_pr_auc(tested.scores, tested.labels)
    there = [int(index) for index in most_frequent(tested.labels) if not np.isnan(areas[index])]
    if not there:
        return None
    with drawn(figures, "roc") as drawing:
        _draw_roc(drawing.subplots(), tested, there, areas)
    with drawn(figures, "precision_recall") as drawing:
        _draw_pr(drawing.subplots(), tested, there, pr_areas)
    size = f"the test's {records_text(len(tested.records))}, each class against all others"
    said = listed([f"{tested.classes[index]} {score_text(areas[index])}" for index in there])
    said_pr = listed([f"{tested.classes[index]} {score_text(pr_areas[index])}" for index in there])
    roc = f"ROC curves, {size}. Dots: where the model decides. Dashed: chance. Areas: {said}."
    pr = f"Precision-recall curves, {size}. Dots: where the model decides. Average precision: {said_pr}."
    return Section(
        title="ROC and precision-recall curves",
        about="test",
        figures=(Figure(name="roc", caption=roc), Figure(name="precision_recall", caption=pr)),
    )


def most_frequent(labels: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the classes' places, the most frequent first; of equal ones the first."""
    return np.argsort(-labels.sum(axis=0), kind="stable")


def thinned(horizontal: Floats, vertical: Floats, *, points: int = POINTS) -> tuple[Floats, Floats]:
    """Return at most so many points of a curve, its ends among them, evenly along the way that it goes."""
    if len(horizontal) <= points:
        return horizontal, vertical
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(horizontal)) + np.abs(np.diff(vertical)))])
    kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], points)).clip(max=len(way) - 1))
    kept = np.union1d(kept, [0, len(way) - 1])
    return horizontal[kept], vertical[kept]


def _draw_roc(axes: Axes, tested: Tested, there: Sequence[int], areas: Floats) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
    curves = {}
    for index in there:
        truth, called = tested.labels[:, index] > 0.5, tested.called[:, index]
        false, true, _ = roc_curve(truth, tested.scores[:, index])
        curves[index] = (*thinned(false, true), called[~truth].mean(), called[truth].mean())
    _draw(axes, tested, curves, areas, "AUC")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def _draw_pr(axes: Axes, tested: Tested, there: Sequence[int], areas: Floats) -> None:
    curves = {}
    for index in there:
        truth, called = tested.labels[:, index] > 0.5, tested.called[:, index]
        precision, recall, _ = precision_recall_curve(truth, tested.scores[:, index])
        at = truth[called].mean() if called.any() else np.nan  # nothing is called: there is no such point
        curves[index] = (*thinned(recall, precision), called[truth].mean(), at)
    _draw(axes, tested, curves, areas, "AP", steps="steps-post")
    axes.set(xlabel="sensitivity (recall)", ylabel="precision", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def _draw(
    axes: Axes,
    tested: Tested,
    curves: dict[int, tuple[Floats, Floats, float, float]],
    areas: Floats,
    name: str,
    steps: str = "default",
) -> None:
    """Draw curves and deciding points; the rarer of many classes without a colour of their own.

    steps: matplotlib's style; between points of precision there is no straight line (Davis, Goadrich 2006).
    """
    own = list(curves)[:COLOURED]
    for index in list(curves)[COLOURED:]:
        axes.plot(*thinned(*curves[index][:2], points=FEW_POINTS), color=FAINT, linewidth=0.7, drawstyle=steps)
    handles, texts = [], []
    for index, style in zip(own, styles(len(own)), strict=True):
        horizontal, vertical, at_horizontal, at_vertical = curves[index]
        (line,) = axes.plot(horizontal, vertical, linewidth=1.4, drawstyle=steps, **style)
        axes.plot([at_horizontal], [at_vertical], marker="o", markersize=5, color=style["color"], clip_on=False)
        handles.append(line)
        texts.append(f"{legible(tested.classes[index])}, {name} {areas[index]:.2f}")
    axes.legend(handles, texts, loc="center left", bbox_to_anchor=(1.0, 0.5))
    if more := len(curves) - len(own):
        axes.set_title(f"grey: {more} rarer class{'es' if more > 1 else ''}", color=QUIET)
