"""Where runs stand, read from their journals while they run and after. Starts and changes nothing."""

import contextlib
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.live import Live

from orchestrator.driver_lock import is_held
from orchestrator.experiment import Experiment
from orchestrator.journal import read_journal
from orchestrator.ledger import Ledger
from orchestrator.records import State
from orchestrator.run_folder import RunFolder

WATCH_S = 2.0


@dataclass(frozen=True, kw_only=True)
class SearchStatus:
    """One search in numbers."""

    run: str
    state: str  # running, finished, interrupted
    trials: dict[str, int]  # by state
    total: int
    running: list[str]  # the fits at work: trial, seed, fold, step
    metric: str
    best: float | None
    best_trial: int | None
    seconds: float

    def as_data(self) -> dict[str, Any]:
        """Return it for --json."""
        return asdict(self)

    def line(self, *, brief: bool = False) -> str:
        """Return it as one line for people; brief: only what changes with the trials."""
        counts = ", ".join(f"{count} {state}" for state, count in self.trials.items())
        best = "" if self.best is None else f"; best {self.metric} {self.best:.4f} (trial {self.best_trial})"
        running = f"; at work: {', '.join(self.running)}" if self.running else ""
        rest = "" if brief else f"; {self.seconds:.0f} s{running}"
        return f"{self.run}: {self.state}; {counts or 'no trial yet'} of {self.total}{best}{rest}"


def status_of(folder: RunFolder, *, driven: bool | None = None) -> list[SearchStatus]:
    """Return the status of a search, or of every stage of an experiment that has begun, and of its final.

    driven: whether a driver lives, where that is known; else it is asked, of a submitted run in SLURM's queue.
    """
    alive = is_driven(folder) if driven is None else driven
    experiment = Experiment.from_run(folder)
    names = [*experiment.searches, "final"] if experiment else []
    folders = [folder.stage(name) for name in names] if experiment else [folder, folder.final]
    return [_search_status(found, alive=alive) for found in folders if read_journal(found.journal)]


def status_lines(folder: RunFolder, *, brief: bool = False, driven: bool | None = None) -> list[str]:
    """Return where a run stands, line by line for people: its searches, and its jobs where it has any."""
    lines = [
        f"{'' if status.run == folder.name else f'{folder.name}/'}{status.line(brief=brief)}"
        for status in status_of(folder, driven=driven)
    ] or [f"{folder.name}: nothing has begun yet"]
    if (folder.path / "cluster").exists():
        from orchestrator.cluster.cluster_status import cluster_lines

        lines += [f"  {line}" for line in cluster_lines(folder, brief=brief)]
    return lines


def watch(folder: RunFolder) -> None:
    """Show where a run stands until nobody drives it any more; in a pipe, each line that changed."""
    shown: list[str] = []
    with Live(auto_refresh=False) if sys.stdout.isatty() else contextlib.nullcontext() as live:
        while True:
            driven = is_driven(folder)
            lines = status_lines(folder, brief=live is None, driven=driven)
            if live is not None:
                live.update("\n".join(lines), refresh=True)
            elif changed := [line for line in lines if line not in shown]:
                print("\n".join(changed), flush=True)
            shown = lines
            if not driven:
                return
            time.sleep(WATCH_S)


def is_driven(folder: RunFolder) -> bool:
    """Return whether a driver of this run lives, on this machine or as a job that runs or waits."""
    if is_held(folder) or not (folder.path / "cluster").exists():
        return is_held(folder)
    from orchestrator.cluster.cluster_status import has_driver

    return has_driver(folder)


def all_runs(root: Path) -> list[RunFolder]:
    """Return every run below a folder, the newest last."""
    return [
        RunFolder(path.parent) for path in sorted(root.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
    ]


def _search_status(folder: RunFolder, *, alive: bool) -> SearchStatus:
    ledger = Ledger(read_journal(folder.journal))
    assert ledger.spec is not None
    states = [trial.state for trial in ledger.trials.values()]
    ranked = ledger.ranked()
    finished = len(ledger.told()) >= ledger.spec.total
    at_work = [
        fit
        for trial in ledger.trials.values()
        for fit in trial.fits.values()
        if fit.starts and not fit.state.is_finished
    ]
    return SearchStatus(
        run=folder.name,
        state="finished" if finished else "running" if alive else "interrupted",
        trials={str(state): states.count(state) for state in State if state in states},
        total=ledger.spec.total,
        running=[f"trial {f.key.trial} seed {f.key.seed} fold {f.key.fold} step {f.last_step}" for f in at_work]
        if alive
        else [],
        metric=ledger.spec.metric,
        best=ranked[0].value if ranked else None,
        best_trial=ranked[0].number if ranked else None,
        seconds=round(ledger.elapsed_s, 1),
    )
