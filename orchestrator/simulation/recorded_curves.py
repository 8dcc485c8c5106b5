"""Recorded learning curves, read from the curves.csv of a run: every mistake of the file at once, with its line.

Only what was run to its end can be replayed: a trial counts if every fit that the table has of any trial is there and
complete. Pruned and failed trials are left out, and counted.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import UserError, raise_if_any
from orchestrator.history.records import State
from orchestrator.results.curves import CONFIG, FIT, METRIC
from orchestrator.task import Metrics

MOST_MISTAKES = 20  # that are told one by one
FitIndex = tuple[int, int]  # seed, fold


@dataclass
class RecordedTrial:
    """A configuration, as texts, and what each of its fits reported at each step."""

    number: int
    config: Mapping[str, str]
    fits: dict[FitIndex, dict[int, Metrics]] = field(default_factory=dict)
    unfinished: set[FitIndex] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class RecordedCurves:
    """The trials that can be replayed, by number."""

    path: Path
    content: str  # hash
    metrics: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    fits: tuple[FitIndex, ...]  # that every trial has
    trials: Mapping[int, RecordedTrial]
    left_out: int  # trials

    @property
    def folds(self) -> int:
        """How many folds were recorded."""
        return len({fold for _seed, fold in self.fits})

    @property
    def longest(self) -> int:
        """The steps of the longest fit."""
        return max(max(steps) for trial in self.trials.values() for steps in trial.fits.values())


def read_curves(path: Path) -> RecordedCurves:
    """Read a table of curves. Raises UserError with every mistake, each as `file:line: rule, value, way out`."""
    if path.exists() and not path.is_file():  # a pipe may never end
        raise UserError(f"{path}: is no plain file; give the curves.csv of a run")
    try:
        content = path.read_bytes()
        lines = content.decode().splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give the curves.csv of a run") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text (byte {error.start}); give the curves.csv of a run") from None
    reader = csv.reader(lines)
    header = next(reader, [])
    if lacking := [name for name in FIT if name not in header]:
        raise UserError(
            f"{path}:1: must have the columns {', '.join(FIT)}; lacks {', '.join(lacking)}; give curves.csv"
        )
    table = _Table(header)
    mistakes = [f"{path}:{reader.line_num}: {mistake}" for row in reader for mistake in table.add(row)]
    if len(mistakes) > MOST_MISTAKES:
        mistakes[MOST_MISTAKES:] = [f"{path}: and {len(mistakes) - MOST_MISTAKES} more; was it cut or edited?"]
    raise_if_any(mistakes)
    fits = tuple(sorted({fit for trial in table.trials.values() for fit in trial.fits}))
    whole = {n: trial for n, trial in table.trials.items() if len(trial.fits) == len(fits) and not trial.unfinished}
    if not whole:
        raise UserError(
            f"{path}: no trial has all {len(fits)} fits complete, so there is nothing to replay; record a search "
            "without `prune`"
        )
    return RecordedCurves(
        path=path,
        content=hashlib.sha256(content).hexdigest()[:16],
        metrics=tuple(name.removeprefix(METRIC) for name in header if _is_metric(name)),
        hyperparameters=tuple(name.removeprefix(CONFIG) for name in header if name.startswith(CONFIG)),
        fits=fits,
        trials=whole,
        left_out=len(table.trials) - len(whole),
    )


class _Table:
    """The trials of the rows so far."""

    def __init__(self, header: Sequence[str]) -> None:
        self.trials: dict[int, RecordedTrial] = {}
        self._header = header

    def add(self, cells: Sequence[str]) -> list[str]:
        """Add a row, or return its mistakes."""
        if len(cells) != len(self._header):
            return [f"must have {len(self._header)} cells, as the header has, got {len(cells)}; was the file cut?"]
        row = dict(zip(self._header, cells, strict=True))
        if mistakes := list(_mistakes_in(row)):
            return mistakes
        number, *fit, step = (int(row[name]) for name in FIT[:-1])
        config = {name.removeprefix(CONFIG): text for name, text in row.items() if name.startswith(CONFIG)}
        trial = self.trials.setdefault(number, RecordedTrial(number, config))
        steps = trial.fits.setdefault((fit[0], fit[1]), {})
        if config != trial.config:
            mistakes.append(f"{CONFIG}*: must be the same in all rows of trial {number}; was the file edited?")
        if step != len(steps) + 1:
            mistakes.append(f"step: must be {len(steps) + 1}, the next of this fit, got {step}; are rows lost?")
        reported = {name: text for name, text in row.items() if _is_metric(name) and text}
        steps[step] = {name.removeprefix(METRIC): float(text) for name, text in reported.items()}
        if row["state"] != State.COMPLETE:
            trial.unfinished.add((fit[0], fit[1]))
        return mistakes


def _mistakes_in(row: Mapping[str, str]) -> Iterator[str]:
    for name, text in row.items():
        if name in FIT[:-1] and not text.isdecimal():
            yield f"{name}: must be a whole number, got {text!r}; write it anew: orchestrate consolidate RUN"
        elif name == "state" and text not in list(State):
            yield f"state: must be one of {', '.join(State)}, got {text!r}; write it anew: orchestrate consolidate RUN"
        elif _is_metric(name) and text and not _is_number(text):
            yield f"{name}: must be a number, or empty, got {text!r}; write it anew: orchestrate consolidate RUN"


def _is_metric(name: str) -> bool:
    return name not in FIT and not name.startswith(CONFIG)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
