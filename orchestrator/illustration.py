"""What a task may show of its own in a run's report, as shapes alone: sections of text, tables and pictures."""

from collections.abc import Sequence
from typing import Literal, Protocol


class Table(Protocol):
    """A table for people: texts, of which the first of each row says what the row is of."""

    @property
    def caption(self) -> str: ...  # noqa: D102  what is counted or scored, on how many records, what intervals contain
    @property
    def columns(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def rows(self) -> Sequence[Sequence[str]]: ...  # noqa: D102


class Figure(Protocol):
    """A picture that was drawn: `NAME.svg`, and `NAME.png` beside it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def caption(self) -> str: ...  # noqa: D102  what is seen, complete enough for who cannot see it


class Section(Protocol):
    """A part of a run's report that a task knows how to tell."""

    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def about(self) -> Literal["data", "test"]: ...  # noqa: D102  where in the report its place is
    @property
    def paragraphs(self) -> Sequence[str]: ...  # noqa: D102  plain text
    @property
    def tables(self) -> Sequence[Table]: ...  # noqa: D102
    @property
    def figures(self) -> Sequence[Figure]: ...  # noqa: D102
