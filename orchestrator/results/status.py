"""Where runs stand, read from their journals while they run and after. Starts and changes nothing."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import FitEntry, Ledger
from orchestrator.history.records import State
from orchestrator.history.run_contents import audit_of, parts_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.failure_digest import failure_counts
from orchestrator.results.outer_part import is_done
from orchestrator.results.score_text import duration
from orchestrator.results.time_left import TimeLeft, time_left_of
from orchestrator.search.budget import fit_hours, gpus_per_fit
from orchestrator.search.intervals import interval_of


@dataclass(frozen=True, kw_only=True)
class SearchStatus:
    """One search in numbers."""

    run: str
    state: str  # running, finished, interrupted
    trials: dict[str, int]  # by state
    total: int
    running: list[str]  # the fits at work: trial, seed, fold, step, and since when each has said nothing
    failures: dict[str, int]  # failed fits by class
    metric: str
    best: float | None
    best_trial: int | None
    best_low: float | None  # of its 95 % interval over fits; as the best of many its mean flatters it
    best_high: float | None
    seconds: float
    time_left: TimeLeft | None  # of a running search; None: not yet known
    gpu_hours: float | None  # that its fits had; None: nobody knows whether they had a GPU
    budget_minutes: float | None
    budget_gpu_hours: float | None

    def as_data(self) -> dict[str, Any]:
        """Return it for --json."""
        return asdict(self)

    def line(self, *, brief: bool = False) -> str:
        """Return it as one line for people; brief: only what changes with the trials."""
        counts = ", ".join(f"{count} {state}" for state, count in self.trials.items())
        interval = "" if self.best_low is None else f" [{self.best_low:.4f}, {self.best_high:.4f}]"
        best = "" if self.best is None else f"; best {self.metric} {self.best:.4f}{interval} (trial {self.best_trial})"
        running = f"; at work: {', '.join(self.running)}" if self.running else ""
        rest = "" if brief else f"; {self.seconds:.0f} s{self._spent()}{self._left()}{running}"
        return f"{self.run}: {self.state}; {counts or 'no trial yet'} of {self.total}{best}{rest}"

    def _spent(self) -> str:
        minutes = "" if self.budget_minutes is None else f" of {self.budget_minutes * 60:.0f} s"
        if not self.gpu_hours and self.budget_gpu_hours is None:
            return minutes
        hours = "unknown" if self.gpu_hours is None else f"{self.gpu_hours:.2f}"
        return (
            f"{minutes}; GPU-hours {hours}{'' if self.budget_gpu_hours is None else f' of {self.budget_gpu_hours:g}'}"
        )

    def _left(self) -> str:
        left = self.time_left
        if self.state != "running":
            return ""
        if left is None:
            return "; time left not yet known"
        return f"; about {duration(left.seconds)} left [{duration(left.low)}, {duration(left.high)}]"


def status_of(folder: RunFolder, *, driven: bool) -> list[SearchStatus]:
    """Return the status of a search, or of what has begun of an experiment; of an audit, of its last outer part.

    driven: whether a driver of the run lives.
    """
    found = [part for part in parts_of(folder) if read_journal(part.journal)]
    return [_search_status(part, name=_name_within(part, folder), alive=driven) for part in found]


def _name_within(part: RunFolder, folder: RunFolder) -> str:
    return folder.name if part == folder else part.path.relative_to(folder.path).as_posix()


def audit_line(folder: RunFolder) -> str | None:
    """Return how far an audit has come as one line for people; None where the run is none."""
    audit = audit_of(folder)
    if audit is None:
        return None
    done = sum(is_done(folder.outer(number).path) for number in range(audit.outer))
    return f"{folder.name}: {done} of {audit.outer} outer parts done"


def _at_work(fit: FitEntry) -> str:
    silent = 0.0 if fit.last_at is None else max(0.0, (datetime.now(UTC) - fit.last_at).total_seconds())
    what = f"trial {fit.key.trial} seed {fit.key.seed} fold {fit.key.fold} step {fit.last_step}"
    return f"{what} (silent for {silent:.0f} s)"


def _search_status(folder: RunFolder, *, name: str, alive: bool) -> SearchStatus:
    ledger = Ledger(read_journal(folder.journal))
    assert ledger.spec is not None
    states = [trial.state for trial in ledger.trials.values()]
    ranked = ledger.ranked()
    finished = len(ledger.told()) >= ledger.spec.total
    best = interval_of(ledger, ranked[0]) if ranked and ledger.scores(ranked[0]) else None
    budget = ledger.spec.budget
    gpus = gpus_per_fit(folder)
    at_work = [
        fit
        for trial in ledger.trials.values()
        for fit in trial.fits.values()
        if fit.incarnation is not None and fit.incarnation == ledger.incarnation
    ]
    return SearchStatus(
        run=name,
        state="finished" if finished else "running" if alive else "interrupted",
        trials={str(state): states.count(state) for state in State if state in states},
        total=ledger.spec.total,
        running=[_at_work(fit) for fit in at_work] if alive else [],
        failures=failure_counts(ledger),
        metric=ledger.spec.metric,
        best=ranked[0].value if ranked else None,
        best_trial=ranked[0].number if ranked else None,
        best_low=None if best is None else best.low,
        best_high=None if best is None else best.high,
        seconds=round(ledger.elapsed_s, 1),
        time_left=_time_left(ledger, gpus) if alive and not finished else None,
        gpu_hours=None if gpus is None else round(fit_hours(ledger) * gpus, 4),
        budget_minutes=None if budget is None else budget.minutes,
        budget_gpu_hours=None if budget is None else budget.gpu_hours,
    )


def _time_left(ledger: Ledger, gpus: float | None) -> TimeLeft | None:
    """Return what is left, at most what the budget leaves."""
    left, budget = time_left_of(ledger), ledger.spec and ledger.spec.budget
    if left is None or not budget:
        return left
    if budget.minutes is not None:
        left = left.at_most(max(0.0, budget.minutes * 60 - ledger.elapsed_s))
    if budget.gpu_hours is not None and gpus and ledger.fit_seconds:
        hours = max(0.0, budget.gpu_hours / gpus - fit_hours(ledger))
        left = left.at_most(hours * 3600 * ledger.elapsed_s / ledger.fit_seconds)
    return left
