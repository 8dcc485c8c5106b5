"""One row a trial: state, mean and interval over its fits, what it cost, its hyperparameters. As CSV and as Markdown.

Derived from the journal alone, so it can be written at any time, while the search runs and after.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from orchestrator.atomic import write_text
from orchestrator.history.ledger import Ledger, TrialEntry, as_texts
from orchestrator.history.openings import read_test
from orchestrator.history.records import State
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.intervals import FEWEST_FITS, interval_of, varying
from orchestrator.specs.specs import SearchSpec

COLUMNS = ("trial", "state", "mean", "sd", "low", "high", "over", "steps", "seconds")
TAKEN = (*COLUMNS, "collapsed", "run", "group")  # a hyperparameter of such a name has another column, see column_of
COLLAPSED = "every record gets the same answer"  # what a task means that reports it above 0
Row = dict[str, str]


def rows_of(ledger: Ledger, *, alive: bool) -> list[Row]:
    """Return the rows by trial number. `alive`: a driver runs, so an unfinished trial is running and not incomplete."""
    return [_row(ledger, ledger.trials[number], alive=alive) for number in sorted(ledger.trials)]


def table_csv(runs: Mapping[str, list[Row]], *, groups: Mapping[str, int] = MappingProxyType({})) -> str:
    """Return the rows of one run or of several as CSV; with several, the last column names the run.

    groups: by run, the number of those with which it may be compared; a column of its own, where given.
    """
    text = io.StringIO()
    names = [*_columns(runs), "group"] if groups else _columns(runs)
    writer = csv.DictWriter(text, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for run, rows in runs.items():
        writer.writerows({**row, "run": run, "group": str(groups.get(run, ""))} for row in rows)
    return text.getvalue()


def table_markdown(
    runs: Mapping[str, list[Row]], *, title: str, mode: str, judged_at: str, most: int | None = None
) -> str:
    """Return the rows as a Markdown table, the best mean first; `most` cuts it there and says so."""
    names = [name for name in _columns(runs) if name not in ("sd", "low", "high")]
    rows = [{**row, "run": run} for run, found in runs.items() for row in found]
    rows.sort(key=lambda row: _order(row, mode))
    shown = rows if most is None else rows[:most]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row, name) for name in names) + " |" for row in shown]
    if len(shown) < len(rows):
        lines.append(f"\n{len(rows) - len(shown)} more trials in table.csv")
    collapsed = f"\ncollapsed: {COLLAPSED}\n" if "collapsed" in names else ""
    return (
        f"# {title}\n\n"
        + "\n".join(lines)
        + f"\n\nmean: over the trial's fits (over), each at {judged_at}, {_on_intervals(rows)}\n"
        + collapsed
    )


def write_tables(ledger: Ledger, folder: RunFolder, *, alive: bool) -> None:
    """Write table.csv and table.md of a search."""
    assert ledger.spec is not None
    runs = {folder.name: rows_of(ledger, alive=alive)}
    write_text(folder.table_csv, table_csv(runs))
    title = f"{folder.name}: {ledger.spec.metric} ({ledger.spec.mode})"
    text = table_markdown(runs, title=title, mode=ledger.spec.mode, judged_at=judged_at([ledger.spec]))
    write_text(folder.table_md, text + note_on_openings(folder))


def _on_intervals(rows: Iterable[Row]) -> str:
    """Say what the intervals are, or why there are none."""
    if any(row["low"] for row in rows):
        return f"with the 95 % t-interval of what varies between them, of {FEWEST_FITS} fits or more."
    return f"without an interval: fewer than {FEWEST_FITS} fits are too few for one."


JUDGED_AT = {
    "last": "its last step",
    "common_best": "the step at which the mean of the trial's fits is best",
    "own_best": "its own best step, which flatters it",
}


def judged_at(specs: Iterable[SearchSpec]) -> str:
    """Return at which step the fits of these searches were judged, in words."""
    return " or ".join(dict.fromkeys(JUDGED_AT[spec.score_at] for spec in specs))


def note_on_openings(folder: RunFolder) -> str:
    """Return the mark of a run whose test part was opened more than once; empty for an honest one."""
    if not folder.final.test.exists():
        return ""
    note = read_test(folder.final)["note"]
    return f"\nNOTE: {note}\n" if note else ""


def _columns(runs: Mapping[str, list[Row]]) -> list[str]:
    names = dict.fromkeys(COLUMNS)
    for rows in runs.values():
        for row in rows:
            names.update(dict.fromkeys(row))
    return [*names, "run"] if len(runs) > 1 else list(names)


def _row(ledger: Ledger, trial: TrialEntry, *, alive: bool) -> Row:
    state = trial.state if trial.state.is_finished or alive else State.INCOMPLETE
    row = {
        "trial": str(trial.number),
        "state": str(state),
        "mean": "",
        "sd": "",
        "low": "",
        "high": "",
        "over": "",
        "steps": str(sum(len(fit.metrics) for fit in trial.fits.values())),
        "seconds": f"{sum(fit.seconds for fit in trial.fits.values()):.1f}",
    }
    scores = ledger.scores(trial) if state in (State.COMPLETE, State.DUPLICATE) and trial.value is not None else []
    if scores:
        over_fits = interval_of(ledger, trial)
        row["over"] = varying(ledger.scores_by_fit(trial))
        for name in ("mean", "sd", "low", "high"):
            value = getattr(over_fits, name)
            row[name] = "" if value is None else f"{value:.6g}"
    collapsed, fits = _collapsed(ledger, trial)
    if collapsed:
        row["collapsed"] = f"{collapsed} of {fits} fits"
    return {**row, **{column_of(name): text for name, text in as_texts(trial.config).items()}}


def column_of(hyperparameter: str) -> str:
    """Return the column of a hyperparameter."""
    return f"config.{hyperparameter}" if hyperparameter in TAKEN else hyperparameter


def _collapsed(ledger: Ledger, trial: TrialEntry) -> tuple[int, int]:
    """Return how many of a trial's fits reported `collapsed` (one answer for all) where judged, of how many."""
    flags = [
        trial.fits[key].metrics[step].get("collapsed", 0.0) > 0 for key, step in ledger.judged_steps(trial).items()
    ]
    return sum(flags), len(flags)


def _order(row: Row, mode: str) -> tuple[bool, float, int]:
    value = float(row["mean"] or 0.0)
    return not row["mean"], -value if mode == "max" else value, int(row["trial"])


def _cell(row: Row, name: str) -> str:
    text = row.get(name, "")
    if name == "mean" and text:
        shown = f"{float(text):.4f}"
        return f"{shown} [{float(row['low']):.4f}, {float(row['high']):.4f}]" if row["low"] else shown
    if text and name not in COLUMNS and "." in text:
        try:
            return f"{float(text):.4g}"
        except ValueError:
            return text
    return text
