"""Tables of trials as LaTeX, for a paper: to be read by `input` where booktabs is loaded."""

from collections.abc import Iterable, Sequence

from orchestrator.results.ranked_table import RankedTable, is_number, is_winner
from orchestrator.results.table import COLUMNS, OPTIONAL, PLACE, Row

HEAD = (
    r"% Needs \usepackage{booktabs}. Other columns, fewer rows: orchestrate consolidate RUN --format tex --columns ..."
)
_ESCAPED = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "{}$&#%_"},
}
# Beside ASCII, what the fonts of a plain document have; of another character a single one would stop LaTeX.
_THERE = set("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ")
_THERE |= {character.upper() for character in _THERE} | {"ß"}


def as_latex(tables: Sequence[RankedTable], *, remarks: Sequence[str] = ()) -> str:
    """Return a floating table for each; what is said of it, the remarks included, is its caption."""
    return "\n".join([HEAD, *(_one(table, remarks) for table in tables)])


def escaped(text: str) -> str:
    """Return a text as LaTeX prints it: no character of it is a command, and each is one that there is."""
    return "".join(map(_escaped, text)).replace("--", "-{}-")


def _escaped(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character.isspace():
        return " "
    there = (character.isascii() and character.isprintable()) or character in _THERE
    return character if there else f"(U+{ord(character):04X})"


def _one(table: RankedTable, remarks: Sequence[str]) -> str:
    same = {} if table.is_chosen else _same_in_all(table)
    columns = [column for column in table.columns if column not in same]
    said = (
        [f"in every row: {', '.join(f'{name} {text}' for name, text in same.items() if text)}"]
        if any(same.values())
        else []
    )
    caption = [escaped(sentence).rstrip(".") + "." for sentence in (table.title, *table.notes, *said, *remarks)]
    lines = [
        r"\begin{table}",
        r"\centering\footnotesize",
        rf"\caption{{{' '.join(caption)}}}",
        rf"\begin{{tabular}}{{{''.join('r' if table.is_numeric(column) else 'l' for column in columns)}}}",
        r"\toprule",
        _line(map(escaped, columns)),
        r"\midrule",
        *(_line(_cell(table, row, column) for column in columns) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _same_in_all(table: RankedTable) -> dict[str, str]:
    """Return the hyperparameters that tell no two rows apart: a page is narrow."""
    first, *others = table.rows or [Row()]
    own = [name for name in table.columns if name not in (*COLUMNS, *OPTIONAL, *PLACE)]
    same = [name for name in own if others and all(row.get(name) == first.get(name) for row in others)]
    return {name: table.text(first, name) for name in same}


def _line(cells: Iterable[str]) -> str:
    first, *others = cells
    guarded = f"{{}}{first}" if first[:1] in ("[", "*") else first  # which the row's end before would take for its own
    return " & ".join([guarded, *others]) + r" \\"


def _cell(table: RankedTable, row: Row, column: str) -> str:
    raw, text = row.get(column, ""), escaped(table.text(row, column))
    if raw.startswith("-") and is_number(raw):
        text = f"${text[0]}${text[1:]}"  # a minus, and no hyphen
    return rf"\textbf{{{text}}}" if text and column == "mean" and is_winner(row) else text
