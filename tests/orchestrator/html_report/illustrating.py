"""A toy task that draws, whose names are such as could become markup."""

from collections.abc import Sequence
from pathlib import Path

from orchestrator.html_report.drawing import draw
from orchestrator.html_report.section import Figure, Table
from tests.toy_task import ToyTask


class Shown:
    """A section of a task's."""

    def __init__(self, title: str, about: str, figure: str) -> None:
        self.title, self.about = title, about
        self.paragraphs = ["<script>alert(1)</script>"]
        self.tables = [Table(caption="a <b> table", columns=("class", "records"), rows=[("<i>x</i>", "7")])]
        self.figures = [Figure(name=figure, caption='a "figure" & more')]


class IllustratingToyTask(ToyTask):
    """It tells of its data and, where something was tested, of the test."""

    def illustrate(self, tested: Path | None, figures: Path) -> Sequence[Shown]:
        shown = [Shown("Flow of <records>", "data", "flow")]
        with draw(figures, "flow") as (axes,):
            axes.plot([0, 1], [0, 1], label="$<i>not maths</i>$")
            axes.legend()
            axes.imshow([[0, 1]])  # which is embedded as a picture
        if tested is not None:
            assert (tested / "predictions.csv").exists()
            shown.append(Shown("By class", "test", "no_such_picture"))
        return shown


class FailingToyTask(ToyTask):
    """Its figures cannot be drawn."""

    def illustrate(self, tested: Path | None, figures: Path) -> Sequence[Shown]:
        raise RuntimeError("the moon is in the way")
