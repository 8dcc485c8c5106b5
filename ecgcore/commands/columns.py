"""Rows for a person: in columns, wrapped to the terminal's width; in a pipe a line a row, without trailing blanks."""

import sys
from collections.abc import Iterable, Sequence

WIDEST = 10_000  # characters; in a pipe nothing is wrapped


def print_columns(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print rows below the names of their columns; those named in `right` are set flush right."""
    # rich takes .05 s to import, which --help need not wait for
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDEST)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        first = number == 0  # a name is never broken
        table.add_column(column, justify="right" if column in right else "left", no_wrap=first, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    with console.capture() as drawn:
        console.print(table)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))
