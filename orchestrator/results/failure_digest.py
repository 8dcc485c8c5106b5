"""What went wrong in searches, class by class: one line each, and of what the task raised one traceback."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.history.failures import Failure
from orchestrator.history.ledger import FitEntry, Ledger
from orchestrator.history.records import State
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder

LINES_OF_A_TRACEBACK = 12  # the last ones; all of it is in error.txt
MOST_TRIALS = 8  # that a line names
_EARLIER = "failed"  # of journals that do not say why


@dataclass
class _Class:
    """One class of failures, in one search."""

    failed: list[FitEntry] = field(default_factory=list)
    times_lost: int = 0  # and begun again


def failure_counts(ledger: Ledger) -> dict[str, int]:
    """Return how many fits of a search failed, by class."""
    return {name: len(found.failed) for name, found in _classes(ledger).items() if found.failed}


def failure_lines(searches: Sequence[RunFolder]) -> list[str]:
    """Return the digest of these searches for people; nothing where all went well."""
    return [line for folder in searches for line in _lines_of(folder, named=len(searches) > 1)]


def _lines_of(folder: RunFolder, *, named: bool) -> Iterator[str]:
    of = f"{folder.name}: " if named else ""
    for name, found in _classes(read_ledger(folder)).items():
        parts = []
        if found.failed:
            parts.append(
                f"{_fits(len(found.failed))} of {_trials(found.failed)} failed: {_first_line(found.failed[0])}"
            )
        if found.times_lost:
            parts.append(f"{_fits(found.times_lost)} begun again")
        yield f"{of}{name}: {'; '.join(parts)}"
        if found.failed:
            yield from _traceback(folder, found.failed[0])


def _classes(ledger: Ledger) -> dict[str, _Class]:
    found: dict[str, _Class] = {}
    fits = [fit for trial in ledger.trials.values() for fit in trial.fits.values()]
    for fit in fits:
        if fit.state is State.FAILED:
            found.setdefault(fit.failure or _EARLIER, _Class()).failed.append(fit)
        for failure, _step in fit.losses:
            found.setdefault(failure, _Class()).times_lost += 1
    return {name: found[name] for name in (*Failure, _EARLIER) if name in found}


def _fits(count: int) -> str:
    return "1 fit" if count == 1 else f"{count} fits"


def _trials(fits: Sequence[FitEntry]) -> str:
    numbers = list(dict.fromkeys(fit.key.trial for fit in fits))
    more = f" and {len(numbers) - MOST_TRIALS} more" if len(numbers) > MOST_TRIALS else ""
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:MOST_TRIALS]))}{more}"


def _first_line(fit: FitEntry) -> str:
    return next(iter((fit.error or "").splitlines()), "")


def _traceback(folder: RunFolder, fit: FitEntry) -> Iterator[str]:
    path = folder.fit(fit.key) / "error.txt"
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    yield f"  {path}:"
    yield from (f"  | {line}" for line in lines[-LINES_OF_A_TRACEBACK:])
