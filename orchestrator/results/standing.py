"""Where each trial stands in its search: the winner, what cannot be told from the best, the untuned default."""

from pathlib import Path

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.selection import ties_of

WINNER, TIE, DEFAULT = "winner", "tie", "default"
MEANING = (
    f"standing: the {WINNER} of its search; a {TIE} cannot be told from the best mean at 5 % (of trials with one fit "
    f"each, none can); the {DEFAULT} is untuned."
)
_NOWHERE = RunFolder(Path())  # trials are compared by the journal alone


def standings(ledger: Ledger, *, alive: bool) -> dict[int, str]:
    """Return by trial what is to be said of it; of a search that still runs (alive), nobody has won."""
    words: dict[int, list[str]] = {}
    if ledger.ranked():
        winner, ties = ties_of(ledger, _NOWHERE)
        if not alive:
            words[winner.trial.number] = [WINNER]
        for tie in ties:
            words.setdefault(tie.trial.number, []).append(TIE)
    for number, trial in ledger.trials.items():
        if trial.origin == "default":
            words.setdefault(number, []).append(DEFAULT)
    return {number: ", ".join(said) for number, said in words.items()}
