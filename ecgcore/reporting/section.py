"""A part of a run's report as one value: text, tables, and figures that lie beside it. Draws nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Table:
    """Texts for people; the first of each row says what the row is of."""

    caption: str  # what is counted or scored, on how many records, what intervals contain
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture that was drawn as `NAME.svg` and `NAME.png`."""

    name: str
    caption: str  # what is seen, complete enough for who cannot see it


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a report says of one thing."""

    title: str
    about: Literal["data", "test"]  # where in the report its place is
    paragraphs: Sequence[str] = ()  # plain text
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
