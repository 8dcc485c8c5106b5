"""A table as people read it, whatever it is written as: the best mean first, which columns, what a cell says, notes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.results.standing import MEANING, WINNER
from orchestrator.results.table import COLLAPSED, COLUMNS, Row, columns_of
from orchestrator.search.intervals import FEWEST_FITS

SCORES = ("mean", "sd", "low", "high")
BOUNDS = {"low", "high"}
COUNTS = ("parameters", "multiply_adds")


@dataclass(frozen=True, kw_only=True)
class RankedTable:
    """Rows that may be compared, with what is said above and below them."""

    title: str
    columns: tuple[str, ...]
    is_chosen: bool  # whether somebody asked for these columns
    rows: tuple[Row, ...]  # the best mean first
    notes: tuple[str, ...]

    def text(self, row: Row, column: str) -> str:
        """Return what people read in a cell; a mean has its interval where that has no columns of its own."""
        text = row.get(column, "")
        if not text:
            return ""
        if column in SCORES:
            shown = f"{float(text):.4f}"
            inside = column == "mean" and row["low"] and not BOUNDS & set(self.columns)
            return f"{shown} [{float(row['low']):.4f}, {float(row['high']):.4f}]" if inside else shown
        if column in COUNTS:
            return f"{int(text):,}"
        return f"{float(text):.4g}" if column not in COLUMNS and "." in text and is_number(text) else text

    def is_numeric(self, column: str) -> bool:
        """Return whether all that a column has are numbers."""
        texts = [row[column] for row in self.rows if row.get(column)]
        return bool(texts) and all(map(is_number, texts))


def ranked(
    runs: Mapping[str, list[Row]],
    *,
    title: str,
    mode: str,
    judged_at: str,
    most: int | None = None,
    columns: Sequence[str] = (),
    remarks: Iterable[str] = (),
) -> RankedTable:
    """Return the rows of runs that may be compared, the best mean first; `most` cuts them there, and says so.

    columns: which; empty: all, a mean with its interval. remarks: what is to be said of these runs beside the columns.
    """
    rows = [{**row, "run": run} for run, found in runs.items() for row in found]
    rows.sort(key=lambda row: _order(row, mode))
    shown = rows if most is None else rows[:most]
    every = ("run", *columns_of(runs)) if len(runs) > 1 else columns_of(runs)  # a trial's number needs its run
    names = tuple(columns) or tuple(name for name in dict.fromkeys(every) if name not in ("sd", *BOUNDS))
    notes = [f"{len(rows) - len(shown)} more trials in table.csv"] if len(shown) < len(rows) else []
    if {"mean", *BOUNDS} & set(names):
        notes.append(f"mean: over the trial's fits (over), each at {judged_at}, {_on_intervals(rows)}")
    if "standing" in names:
        notes.append(MEANING)
    if "collapsed" in names:
        notes.append(f"collapsed: {COLLAPSED}")
    return RankedTable(title=title, columns=names, is_chosen=bool(columns), rows=tuple(shown), notes=(*notes, *remarks))


def is_winner(row: Row) -> bool:
    """Return whether a row is that of its search's winner."""
    return WINNER in row["standing"]


def is_number(text: str) -> bool:
    """Return whether a cell holds a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _on_intervals(rows: Iterable[Row]) -> str:
    """Say what the intervals are, or why there are none."""
    if any(row["low"] for row in rows):
        return f"with the 95 % t-interval of what varies between them, of {FEWEST_FITS} fits or more."
    return f"without an interval: fewer than {FEWEST_FITS} fits are too few for one."


def _order(row: Row, mode: str) -> tuple[bool, float, int]:
    value = float(row["mean"] or 0.0)
    return not row["mean"], -value if mode == "max" else value, int(row["trial"])
