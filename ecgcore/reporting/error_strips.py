"""The most confident wrong answers, drawn as ECG paper prints them: 25 mm/s, 10 mm/mV. From the signals of the test."""

from pathlib import Path

import numpy as np

from ecgcore.drawing.ecg_paper import FINEST, GAIN, MARGIN, ROW, SECONDS, SPEED, Example, cells
from ecgcore.reporting.figure_file import Axes, bare_axes, drawn, legible
from ecgcore.reporting.section import Figure, Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import listed, score_text
from ecgcore.reporting.wrong_answers import WRONG_DRAWN, WrongAnswer, wrong_answers
from ecgcore.signals.arithmetic import flat_leads, resample

INCH = 25.4  # mm
SHORTEST = 4.0  # s of paper that a strip has at least: a page shows all strips at one width
THIN, THICK = "#F5C6C6", "#E89A9A"


def errors_section(tested: Tested, figures: Path) -> Section | None:
    """Return the section, with a strip of each record whose signal the test has kept; None where nothing is wrong."""
    found = wrong_answers(tested.scores, tested.called, tested.labels, tested.patients, multilabel=tested.multilabel)
    worst = found[:WRONG_DRAWN]
    if not worst:
        return None
    drawings = []
    for number, wrong in enumerate(worst, start=1):
        example = tested.signals.get(tested.records[wrong.index])
        if example is None:
            continue
        name = f"error_{number}"
        _draw(example, figures, name)
        scale = "10 mm/mV" if example.unit == "mV" else "10 mm per standard deviation"
        drawings.append(Figure(name=name, caption=f"{_told(tested, wrong)} (25 mm/s, {scale})"))
    rows = [[tested.records[wrong.index], *_words(tested, wrong)] for wrong in worst]
    what = "of the class that was called" if not tested.multilabel else "of the wrong answer to the class named"
    table = Table(
        caption=f"The {len(worst)} most confident wrong answers, one a patient, of {len(found)} patients with any; "
        f"with the probability {what}. A label may be wrong, too.",
        columns=("record", "label", "answer", *(["wrong about"] if tested.multilabel else []), "probability"),
        rows=rows,
    )
    return Section(title="The most confident wrong answers", about="test", tables=(table,), figures=tuple(drawings))


def _words(tested: Tested, wrong: WrongAnswer) -> list[str]:
    truth, called = _names(tested, tested.labels[wrong.index] > 0.5), _names(tested, tested.called[wrong.index])
    about = [_mistake(tested, wrong)] if tested.multilabel else []
    return [truth, called, *about, score_text(wrong.claimed)]


def _told(tested: Tested, wrong: WrongAnswer) -> str:
    truth, called, *about, claimed = _words(tested, wrong)
    said = f"with probability {claimed}" if not about else f"wrong about {about[0]} with probability {claimed}"
    return f"Record {tested.records[wrong.index]}: label {truth}, answered {called}, {said}"


def _mistake(tested: Tested, wrong: WrongAnswer) -> str:
    how = "called" if tested.called[wrong.index, wrong.class_index] else "missed"
    return f"{tested.classes[wrong.class_index]} ({how})"


def _names(tested: Tested, there: np.ndarray) -> str:
    return listed([name for name, one in zip(tested.classes, there, strict=True) if one]) or "none"


def _draw(example: Example, figures: Path, name: str) -> None:
    """Draw at the true scale of paper, each lead around its own median."""
    signal, rate = example.signal, example.rate
    flat = flat_leads(signal)
    if rate > FINEST:
        signal, rate = resample(signal, rate=rate, to=FINEST), FINEST
    heights = GAIN * (signal - np.median(signal, axis=1, keepdims=True))
    layout = list(cells(example.leads))
    seconds = min(SECONDS, max(SHORTEST, float(np.ceil(2 * signal.shape[1] / rate) / 2)))
    if len({row for _, row, _, _ in layout}) < len(layout):
        seconds = SECONDS  # several leads share a row
    width = 2 * MARGIN + SPEED * seconds
    height = ROW * (2 + max(row for _, row, _, _ in layout))
    with drawn(figures, name, width=width / INCH, height=height / INCH) as drawing:
        axes = bare_axes(drawing, width, height)
        _paper(axes, width, height)
        for lead, row, begin, end in layout:
            first, last = round(begin * rate), min(round(end * rate) + 1, heights.shape[1])
            middle, left = ROW * (row + 1), MARGIN + SPEED * begin
            places = MARGIN + SPEED * np.arange(first, last) / rate
            axes.plot(places, middle - heights[lead, first:last], color="black", linewidth=0.8)
            said = legible(example.leads[lead]) + (" (flat)" if lead in flat else "")
            axes.text(left + 1, middle - ROW / 2 + 1, said, fontsize=9)
        for row in {row for _, row, _, _ in layout}:
            pulse = ROW * (row + 1) - np.array([0, 0, GAIN, GAIN, 0, 0])
            axes.plot([2.5, 5, 5, 10, 10, 12.5], pulse, color="black", linewidth=0.8)


def _paper(axes: Axes, width: float, height: float) -> None:
    """Draw the grid of 1 and 5 mm, each as one line with gaps: hundreds of lines would be the most of the file."""
    for step, colour, thickness in ((1, THIN, 0.3), (5, THICK, 0.5)):
        points: list[tuple[float, float]] = []
        for x in np.arange(0, width + 1e-9, step):
            points += [(x, 0), (x, height), (np.nan, np.nan)]
        for y in np.arange(0, height + 1e-9, step):
            points += [(0, y), (width, y), (np.nan, np.nan)]
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=thickness)
