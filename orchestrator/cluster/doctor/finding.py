"""One line of the doctor's: how bad it is, what it is about, what was found, and the way out."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A warning costs time or comfort; with an error, jobs would not start or would fail."""

    level: Level
    about: str
    found: str
    way_out: str = ""

    def line(self) -> str:
        """Return it as people read it."""
        way_out = f"; {self.way_out}" if self.way_out else ""
        return f"{self.level:8} {self.about:16} {self.found}{way_out}"


def ok(about: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(level="ok", about=about, found=found)


def warning(about: str, found: str, way_out: str) -> Finding:
    """Jobs will run; something about it is worse than it need be."""
    return Finding(level="warning", about=about, found=found, way_out=way_out)


def error(about: str, found: str, way_out: str) -> Finding:
    """Jobs would not start, or would fail."""
    return Finding(level="error", about=about, found=found, way_out=way_out)


def one_line(text: str) -> str:
    """Return what a command said as one line."""
    lines = [line.strip("* \t") for line in text.splitlines()]
    return " / ".join(filter(None, lines)) or "nothing was said"
