"""Learning curves of a search: one row for each step of each fit, with every metric and the configuration. As CSV.

Derived from the journal alone. What `orchestrate simulate` replays, and what one plots.
"""

import csv
import io
from collections.abc import Iterator

from orchestrator.atomic import write_text
from orchestrator.history.ledger import Ledger, as_texts
from orchestrator.history.run_folder import RunFolder

FIT = ("trial", "seed", "fold", "step", "state")  # the state is the fit's
CONFIG = "config."  # before a hyperparameter's name: a metric may have the same one
METRIC = "metric."  # before a metric's, where it would pass for one of the others
Row = dict[str, str]


def curves_csv(ledger: Ledger) -> str:
    """Return the rows of all fits, by trial, seed, fold and step, as CSV. A repeated trial has no fits of its own."""
    rows = list(_rows(ledger))
    names = dict.fromkeys(name for row in rows for name in row)
    metrics = [name for name in names if name not in FIT and not name.startswith(CONFIG)]
    text = io.StringIO()
    columns = [*FIT, *metrics, *(name for name in names if name.startswith(CONFIG))]
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_curves(ledger: Ledger, folder: RunFolder) -> None:
    """Write curves.csv of a search."""
    write_text(folder.curves_csv, curves_csv(ledger))


def _rows(ledger: Ledger) -> Iterator[Row]:
    for _, trial in sorted(ledger.trials.items()):
        config = {f"{CONFIG}{name}": text for name, text in as_texts(trial.config).items()}
        for key, fit in sorted(trial.fits.items()):
            for step, metrics in sorted(fit.metrics.items()):
                values = (*map(str, key), str(step), str(fit.state))
                reported = {column_of(name): repr(value) for name, value in metrics.items()}
                yield {**dict(zip(FIT, values, strict=True)), **reported, **config}


def column_of(metric: str) -> str:
    """Return the column of a metric."""
    return f"{METRIC}{metric}" if metric in FIT or metric.startswith((CONFIG, METRIC)) else metric
