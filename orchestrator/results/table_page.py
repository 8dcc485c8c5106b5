"""Tables of trials as a page that a click on a column's name sorts. Needs no network; without scripts it is a table."""

from collections.abc import Iterable, Sequence
from html import escape

from orchestrator.results.ranked_table import RankedTable, is_winner
from orchestrator.results.table import Row

# Nothing from elsewhere is loaded or asked, whatever names say that come from the files of others.
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .6rem; text-align: left; white-space: nowrap; border-bottom: 1px solid #ddd; }}
thead th {{ border-bottom: 2px solid #444; }}
.number {{ text-align: right; }}
.winner {{ background: #e8f1fb; font-weight: 600; }}
th button {{ font: inherit; font-weight: 600; padding: 0; border: 0; background: none; cursor: pointer; }}
th[aria-sort=ascending] button::after {{ content: " \\2191"; }}
th[aria-sort=descending] button::after {{ content: " \\2193"; }}
</style>
</head>
<body>
"""
WINNERS = ' class="winner"'
# What is empty stays below, whichever way.
SCRIPT = """<script>
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const text = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const compared = head.classList.contains("number")
        ? (one, other) => Number(one) - Number(other)
        : (one, other) => one.localeCompare(other, "en", {numeric: true});
      const rows = [...table.tBodies[0].rows].sort((one, other) => {
        const [first, second] = [text(one), text(other)];
        if (!first || !second) return !first - !second;
        return (up ? 1 : -1) * compared(first, second);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
</script>
</body>
</html>
"""


def as_page(tables: Sequence[RankedTable], *, remarks: Iterable[str] = ()) -> str:
    """Return the tables one below the other, then the remarks; the row of a search's winner is marked."""
    title = escape(tables[0].title)
    said = [f"<p>{escape(remark)}</p>" for remark in remarks]
    return "\n".join([HEAD.format(title=title) + "<main>", *map(_one, tables), *said, "</main>", SCRIPT])


def _one(table: RankedTable) -> str:
    classes = {column: ' class="number"' if table.is_numeric(column) else "" for column in table.columns}
    heads = "".join(f'<th scope="col"{classes[column]}>{escape(column)}</th>' for column in table.columns)
    lines = [f"<h1>{escape(table.title)}</h1>", f'<div class="wide"><table><thead><tr>{heads}</tr></thead>', "<tbody>"]
    for row in table.rows:
        cells = "".join(_cell(table, row, column, classes[column]) for column in table.columns)
        lines.append(f"<tr{WINNERS if is_winner(row) else ''}>{cells}</tr>")
    return "\n".join([*lines, "</tbody></table></div>", *(f"<p>{escape(note)}</p>" for note in table.notes)])


def _cell(table: RankedTable, row: Row, column: str, number: str) -> str:
    """Return a cell, which is sorted by its value and not by the few digits of it that are shown."""
    value, text = row.get(column, ""), table.text(row, column)
    exact = "" if value == text else f' data-value="{escape(value)}"'
    return f"<td{number}{exact}>{escape(text)}</td>"
