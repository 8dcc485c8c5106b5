"""The two ways a command can fail: the user's mistakes (exit code 2) and what went wrong while running (1)."""

from collections.abc import Sequence


class UserError(ValueError):
    """One or more mistakes of the user, each a line that names place, rule, value and way out."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))


class RunFailed(RuntimeError):
    """A run could not go on; what was journaled is kept and the same command goes on from there."""


class Pointless(RunFailed):
    """A run that would only fail again in the same way; nobody should start it anew by himself."""


class RaisedByTask(Exception):  # no ValueError, whatever the task raised
    """The task's own error, where a person wants to see it as Python shows it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def raise_if_any(mistakes: Sequence[str]) -> None:
    """Raise one UserError for all mistakes found so far, so that a file is mended in one go."""
    if mistakes:
        raise UserError(*mistakes)
