"""What a search will cost, from how long steps took in earlier runs of the same task on the same data."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.cluster.profile import ClusterProfile
from orchestrator.errors import RunFailed
from orchestrator.history.journal import read_journal
from orchestrator.history.journal_lines import Entry
from orchestrator.history.records import FitKey, Reported, SearchBegun, Start
from orchestrator.history.run_contents import all_searches
from orchestrator.search.intervals import t_interval
from orchestrator.specs.specs import SearchSpec, from_data


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Hours of fits, all steps of all fits: pruned and repeated configurations need fewer."""

    hours: float
    low: float  # 95 % interval of the mean over configurations; that of one fit is wider
    high: float
    fits: int  # from which it was measured
    runs: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def times(self, factor: float) -> "Forecast":
        """Return it in another unit."""
        return Forecast(
            hours=self.hours * factor, low=self.low * factor, high=self.high * factor, fits=self.fits, runs=self.runs
        )

    def line(self, unit: str) -> str:
        """Return it as people read it."""
        return (
            f"{self.hours:.2f} {unit} [{self.low:.2f}, {self.high:.2f}], measured on {self.fits} fits of "
            f"{', '.join(self.runs[:3])}{', ...' if len(self.runs) > 3 else ''}"
        )


def forecast(spec: SearchSpec, runs: Path, *, folds: int) -> Forecast | None:
    """Forecast the hours that the fits of a search take; None where no run was like it, or only one fit."""
    measured: dict[str, list[float]] = {}
    for search in all_searches(runs):
        with contextlib.suppress(RunFailed, ValueError):  # damaged, or of another version: no concern of this run
            entries = read_journal(search.journal)
            if entries and isinstance(entries[0][0], SearchBegun) and _is_alike(spec, entries[0][0].spec):
                measured[str(search.path.relative_to(runs))] = list(_seconds_per_step(entries))
    seconds = [value for values in measured.values() for value in values]
    if len(seconds) < 2:
        return None
    steps = spec.total * spec.seeds * folds * spec.most_steps
    over, scale = t_interval(seconds), steps / 3600
    # Of two fits there is no interval but what was measured; and nothing takes a negative time.
    low = max(min(seconds), over.low or 0.0)
    high = max(seconds) if over.high is None else over.high
    return Forecast(
        hours=over.mean * scale,
        low=low * scale,
        high=high * scale,
        fits=len(seconds),
        runs=tuple(run for run, values in measured.items() if values),
    )


def forecast_line(spec: SearchSpec, profile: ClusterProfile, runs: Path, *, folds: int) -> str | None:
    """Return the forecast in the unit that the cluster's account is kept in; None where nothing was measured yet."""
    found = forecast(spec, runs, folds=folds)
    if found is None:
        return None
    if profile.gpus:
        return found.times(profile.gpus_per_fit).line("GPU-hours")
    return found.times(spec.cpus_per_fit).line("CPU-hours")


def _is_alike(spec: SearchSpec, other: dict[str, Any] | Any) -> bool:
    """Return whether another search did the same work: the same task and data, and nothing fixed differently."""
    if "stages" in other:
        return False
    earlier = from_data(other)
    both = spec.space.keys() & earlier.space.keys()
    fixed = [
        name for name in both if not hasattr(spec.space[name], "when") and not hasattr(earlier.space[name], "when")
    ]
    return (
        earlier.task == spec.task
        and earlier.cpus_per_fit == spec.cpus_per_fit
        and all(earlier.space[name] == spec.space[name] for name in fixed)
    )


def _seconds_per_step(entries: list[Entry]) -> Iterator[float]:
    """Yield the mean duration of a step for each fit that went through two or more, its first step included."""
    began: dict[FitKey, Any] = {}
    last: dict[FitKey, Any] = {}
    steps: dict[FitKey, int] = {}
    for record, at in entries:
        if isinstance(record, Start):
            key = FitKey(record.trial, record.seed, record.fold)
            began[key], steps[key] = at, 0
            last.pop(key, None)
        elif isinstance(record, Reported):
            key = FitKey(record.trial, record.seed, record.fold)
            if key in began:
                last[key], steps[key] = at, steps[key] + 1
    for key, at in last.items():
        if steps[key] >= 2:
            yield float((at - began[key]).total_seconds()) / steps[key]
