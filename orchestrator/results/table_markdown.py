"""Tables of trials as Markdown: for the terminal, and for table.md."""

from collections.abc import Iterable, Sequence

from orchestrator.results.ranked_table import RankedTable, is_winner
from orchestrator.results.table import Row


def as_markdown(tables: Sequence[RankedTable], *, remarks: Iterable[str] = ()) -> str:
    """Return the tables one below the other, then the remarks; the mean of a search's winner is bold."""
    return "\n".join(map(_one, tables)) + "".join(f"\n{remark}\n" for remark in remarks)


def _one(table: RankedTable) -> str:
    lines = [f"# {table.title}", "", _line(table.columns), "|" + "---|" * len(table.columns)]
    lines += [_line([_cell(table, row, name) for name in table.columns]) for row in table.rows]
    return "\n".join(lines) + "\n" + "".join(f"\n{note}\n" for note in table.notes)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _cell(table: RankedTable, row: Row, column: str) -> str:
    text = table.text(row, column)
    return f"**{text}**" if text and column == "mean" and is_winner(row) else text
