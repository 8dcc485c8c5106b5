"""Score against coverage, drawn: what is gained if the least confident answers are left to a person."""

from pathlib import Path

import numpy as np

from ecgcore.reporting.figure_file import COLOURS, drawn
from ecgcore.reporting.section import Figure, Section
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import records_text, score_text
from ecgcore.scores.rejection import at_coverage

COVERAGES = np.linspace(0.3, 1.0, 36)


def coverage_section(tested: Tested, figures: Path) -> Section | None:
    """Return the section, of one label each; None for several, of which no one probability is that of the answer."""
    if tested.multilabel:
        return None
    found = np.array([at_coverage(tested.scores, tested.called, tested.labels, share) for share in COVERAGES])
    with drawn(figures, "coverage") as drawing:
        axes = drawing.subplots()
        axes.plot(COVERAGES, found[:, 1], color=COLOURS[0], label="accuracy")
        axes.plot(COVERAGES, found[:, 0], color=COLOURS[1], linestyle="--", label="macro-F1")
        axes.set(xlabel="share of records that are answered", ylabel="score of those", xlim=(1.0, COVERAGES[0]))
        axes.legend()
    all_, half = found[-1], at_coverage(tested.scores, tested.called, tested.labels, 0.5)
    caption = (
        f"Scores where the least confident of the test's {records_text(len(tested.records))} are left to a person. All "
        f"answered: accuracy {score_text(all_[1])}, macro-F1 {score_text(all_[0])}; the most confident half: "
        f"{score_text(half[1])}, {score_text(half[0])}. A class of which no record is answered counts 0 in macro-F1."
    )
    return Section(
        title="Leaving the doubtful ones to a person",
        about="test",
        figures=(Figure(name="coverage", caption=caption),),
    )
