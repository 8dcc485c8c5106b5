"""What a person sees while a search runs: a live table on a terminal, plain lines in a pipe, nothing with --json."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from orchestrator.history.records import Record, State, Tell
from orchestrator.search.search import Search

SHOWN = 10


class Progress:
    """Listens to a search's records and shows where it stands."""

    def __init__(self, *, quiet: bool = False, live: bool = True) -> None:
        self._console = Console(file=sys.stderr if not sys.stdout.isatty() else sys.stdout)
        self._live = (
            Live(console=self._console, refresh_per_second=4, transient=True)
            if sys.stdout.isatty() and live and not quiet
            else None
        )
        self._quiet = quiet

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, search: Search, record: Record) -> None:
        """Show one more record."""
        if self._quiet:
            return
        if self._live:
            self._live.update(_table(search))
        elif isinstance(record, Tell):
            print(_line(search, record), flush=True)

    def say(self, text: str) -> None:
        """Print one line of what is going on."""
        if not self._quiet:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True) if self._live else print(
                text, flush=True
            )


def _line(search: Search, told: Tell) -> str:
    trial = search.ledger.trials[told.trial]
    ranked = search.ledger.ranked(1)
    value = "" if told.value is None else f" {search.spec.metric} {told.value:.4f}"
    best = f" (best {ranked[0].value:.4f}, trial {ranked[0].number})" if ranked else ""
    seconds = sum(fit.seconds for fit in trial.fits.values())
    error = f": {trial.error}" if told.state is State.FAILED and trial.error else ""
    done = f"{search.ledger.count_told}/{search.total}"
    return f"{search.folder.name} {done} trial {told.trial} {told.state}{value}{best} {seconds:.1f} s{error}"


def _table(search: Search) -> Table:
    ledger, spec = search.ledger, search.spec
    varied_names = {name for name, entry in spec.space.items() if hasattr(entry, "when")}
    table = Table(
        title=f"{search.folder.name}  {ledger.count_told}/{search.total} trials  {spec.metric} ({spec.mode})",
        title_justify="left",
    )
    for name in ("trial", "state", spec.metric, "step", "seconds", "configuration"):
        table.add_column(name, overflow="fold" if name == "configuration" else "ellipsis")
    open_trials = list(ledger.open.values())
    for trial in ledger.ranked(max(1, SHOWN - len(open_trials))) + open_trials[:SHOWN]:
        value = "" if trial.value is None else f"{trial.value:.4f}"
        step = max((fit.last_step for fit in trial.fits.values()), default=0)
        seconds = sum(fit.seconds for fit in trial.fits.values())
        varied = {name: value for name, value in trial.config.items() if name in varied_names}
        shown = "  ".join(
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}" for name, value in varied.items()
        )
        table.add_row(
            str(trial.number), str(trial.state), value, f"{step}/{spec.steps_of(trial.config)}", f"{seconds:.1f}", shown
        )
    return table
