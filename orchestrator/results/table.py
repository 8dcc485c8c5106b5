"""One row a trial: state, standing, mean and interval over its fits, what it cost, its hyperparameters; and as CSV.

For programs: numbers of the journal are exact. For people: table_markdown.py, table_latex.py, table_page.py. Derived
from the journal alone, so it can be written at any time, while the search runs and after.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from orchestrator.history.ledger import Ledger, TrialEntry, as_texts
from orchestrator.history.openings import read_test
from orchestrator.history.records import State
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.standing import standings
from orchestrator.search.intervals import interval_of, varying
from orchestrator.specs.specs import SearchSpec

COLUMNS = ("trial", "state", "standing", "mean", "sd", "low", "high", "over", "fits", "steps", "seconds")
# Where a trial has them. gpu_seconds: of the share of a GPU that each fit had; the next two are metrics of the task's.
OPTIONAL = ("gpu_seconds", "parameters", "multiply_adds", "collapsed")
PLACE = ("run", "group")
TAKEN = (*COLUMNS, *OPTIONAL, *PLACE)  # a hyperparameter of such a name has another column, see column_of
COLLAPSED = "every record gets the same answer"  # what a task means that reports it above 0
Row = dict[str, str]


def rows_of(ledger: Ledger, *, alive: bool, gpus_per_fit: float = 0.0) -> list[Row]:
    """Return the rows by trial number. `alive`: a driver runs, so an unfinished trial is running and not incomplete."""
    standing = standings(ledger, alive=alive)
    return [
        _row(ledger, trial, alive=alive, standing=standing.get(number, ""), gpus_per_fit=gpus_per_fit)
        for number, trial in sorted(ledger.trials.items())
    ]


def table_csv(runs: Mapping[str, list[Row]], *, groups: Mapping[str, int] = MappingProxyType({})) -> str:
    """Return the rows of one run or of several as CSV; with several, the last column names the run.

    groups: by run, the number of those with which it may be compared; a column of its own, where given.
    """
    names = [*columns_of(runs), "group"] if groups else columns_of(runs)
    rows = [{**row, "run": run, "group": str(groups.get(run, ""))} for run, found in runs.items() for row in found]
    return csv_of(names, rows)


def csv_of(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return these columns of the rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


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


def columns_of(runs: Mapping[str, list[Row]]) -> list[str]:
    """Return the columns of the rows of one run or of several, in their order."""
    found = dict.fromkeys(name for rows in runs.values() for row in rows for name in row)
    rest = [name for name in found if name not in TAKEN]
    names = [*COLUMNS, *(name for name in OPTIONAL if name in found), *rest]
    return [*names, "run"] if len(runs) > 1 else names


def _row(ledger: Ledger, trial: TrialEntry, *, alive: bool, standing: str, gpus_per_fit: float) -> Row:
    state = trial.state if trial.state.is_finished or alive else State.INCOMPLETE
    seconds = sum(fit.seconds for fit in trial.fits.values())
    scores = ledger.scores(trial) if state in (State.COMPLETE, State.DUPLICATE) and trial.value is not None else []
    row = {
        **dict.fromkeys(COLUMNS, ""),
        "trial": str(trial.number),
        "state": str(state),
        "standing": standing,
        "fits": str(len(scores)),
        "steps": str(sum(len(fit.metrics) for fit in trial.fits.values())),
        "seconds": f"{seconds:.1f}",
    }
    if scores:
        over_fits = interval_of(ledger, trial)
        row["over"] = varying(ledger.scores_by_fit(trial))
        for name in ("mean", "sd", "low", "high"):
            value = getattr(over_fits, name)
            row[name] = "" if value is None else f"{value:.6g}"
    if gpus_per_fit:
        row["gpu_seconds"] = f"{seconds * gpus_per_fit:.1f}"
    for name in ("parameters", "multiply_adds"):
        if size := ledger.largest(trial, name):
            row[name] = f"{size:.0f}"
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
