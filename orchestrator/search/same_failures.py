"""When to stop a search whose first trials all failed, and alike: that is a mistake in the code or the data."""

from orchestrator.errors import Pointless
from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import State
from orchestrator.history.run_folder import RunFolder

SAME_FAILURES = 3


def stop_if_all_failed_alike(ledger: Ledger, folder: RunFolder, *, total: int) -> None:
    """Raise Pointless where the first trials all failed, and all with the same error."""
    told: list[TrialEntry] = []
    for trial in ledger.trials.values():
        if not trial.state.is_finished or trial.state is State.DUPLICATE:
            continue
        if trial.state is not State.FAILED or _first_line(trial) != _first_line(told[0] if told else trial):
            return
        told.append(trial)
    if len(told) >= min(SAME_FAILURES, total):
        raise Pointless(
            f"{folder.path}: the first {len(told)} trials all failed alike, so the search was stopped: "
            f"{told[0].error}\nMend the cause, then give the search a new --name"
        )


def _first_line(trial: TrialEntry) -> str:
    return next(iter((trial.error or "").splitlines()), "")
