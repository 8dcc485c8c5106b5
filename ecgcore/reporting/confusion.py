"""Who was called what: a confusion matrix of classes that exclude each other, else two by two of each class."""

from pathlib import Path

import numpy as np

from ecgcore.reporting.figure_file import drawn, legible
from ecgcore.reporting.section import Figure, Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import listed, records_text, share_text
from ecgcore.scores.metrics import confusion

ROOMY = 8  # classes up to which a cell has room for its share, too
NAMED = 3  # mistakes that the caption names


def confusion_section(tested: Tested, figures: Path) -> Section:
    """Return the section, with a matrix drawn for one label, or with a table for several."""
    title, size = "Answers and labels", records_text(len(tested.records))
    if tested.multilabel:
        return Section(title=title, about="test", tables=(_two_by_two(tested),))
    counts = confusion(tested.called, tested.labels)
    _draw(counts, [legible(name) for name in tested.classes], figures)
    caption = (
        f"Confusion matrix of the test's {size}: a row is a true class, a column an answer; the darker, the larger the "
        f"share of the row. Right: {share_text(np.trace(counts), counts.sum())}. "
        f"{_most_frequent(counts, tested.classes)}"
    )
    return Section(title=title, about="test", figures=(Figure(name="confusion", caption=caption),))


def _draw(counts: np.ndarray, names: list[str], figures: Path) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.0, 1.6 + 0.34 * len(names))
    small = 9 if len(names) <= ROOMY else 7
    with drawn(figures, "confusion", width=max(5.0, side), height=side) as drawing:
        axes = drawing.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal" if len(names) > 2 else "auto")
        for (row, column), count in np.ndenumerate(counts):
            text = f"{count}\n{100 * shares[row, column]:.0f} %" if len(names) <= ROOMY else f"{count}" if count else ""
            colour = "white" if shares[row, column] > 0.55 else "black"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=small)
        tilted = max(map(len, names)) * len(names) > 40
        axes.set_xticks(range(len(names)), names, rotation=90 if tilted else 0, fontsize=small)
        axes.set_yticks(range(len(names)), names, fontsize=small)
        axes.set(xlabel="answer", ylabel="true class")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)


def _most_frequent(counts: np.ndarray, classes: tuple[str, ...]) -> str:
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:NAMED]
    pairs = [(int(index) // len(classes), int(index) % len(classes)) for index in order]
    said = [
        f"{classes[true]} called {classes[called]} ({wrong[true, called]} of {counts[true].sum()})"
        for true, called in pairs
        if wrong[true, called]
    ]
    return f"Most frequent mistakes: {listed(said)}." if said else "No mistakes."


def _two_by_two(tested: Tested) -> Table:
    truth, called = tested.labels > 0.5, tested.called
    cells = [truth & called, truth & ~called, ~truth & called, ~truth & ~called]
    rows = [
        [name, *(f"{count:,}" for count in counts)]
        for name, counts in zip(tested.classes, np.stack([cell.sum(axis=0) for cell in cells], axis=1), strict=True)
    ]
    whole = (truth == called).all(axis=1).sum()
    caption = (
        f"Records of the test by class, of {records_text(len(truth))} that may have several labels each. All labels of "
        f"a record are right in {share_text(whole, len(truth))}."
    )
    columns = ("class", "has it, called", "has it, missed", "lacks it, called", "lacks it, not called")
    return Table(caption=caption, columns=columns, rows=rows)
