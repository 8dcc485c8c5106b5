"""The page as values: sections of text, tables and figures, which the template only writes down."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator import illustration

BLANK = "to be filled in"  # a cell or paragraph that only a person can write


@dataclass(frozen=True, kw_only=True)
class Table:
    """Texts for people; the first of each row says what the row is of."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False  # shown when asked for


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture that was drawn as `NAME.svg` and `NAME.png`."""

    name: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page, and what is told below its heading in parts of their own: the task's word."""

    title: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[illustration.Table] = ()
    figures: Sequence[illustration.Figure] = ()
    within: Sequence[illustration.Section] = ()


def facts_table(caption: str, facts: Sequence[tuple[str, str]]) -> Table:
    """Return a table of two columns: what, and its value."""
    return Table(caption=caption, columns=("what", "value"), rows=facts)
