"""The two ways a command can fail: the user's mistakes (exit code 2) and what went wrong while running (1)."""

from collections.abc import Sequence


class UserError(ValueError):
    """One or more mistakes of the user, each a line that names place, rule, value and way out."""

    is_users_mistake = True

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))


class RunFailed(RuntimeError):
    """A run could not go on; what was journaled is kept and the same command goes on from there."""


class RayFailed(RunFailed):
    """Ray could not go on, by no fault of what runs on it."""


class Pointless(RunFailed):
    """A run that would only fail again in the same way; nobody should start it anew by himself."""


class RaisedByTask(Exception):  # no ValueError, whatever the task raised
    """The task's own error, where a person wants to see it as Python shows it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def is_users_mistake(error: BaseException) -> bool:
    """Return whether an error tells of a mistake of the user's, by a mark that its class bears.

    Other packages mark their own without knowing us. Any other ValueError is a bug's, and wants its traceback.
    """
    return bool(getattr(error, "is_users_mistake", False))


def printable(text: str, *, most: int) -> str:
    """Return a text as any file takes it: what has no encoding is escaped, of one longer than `most` the middle cut."""
    if len(text) > most:
        left = most // 2
        text = f"{text[:left]} ... ({len(text) - 2 * left} characters cut) ... {text[-left:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def text_of(error: BaseException) -> str:
    """Return what an error says of itself, also where it fails at that."""
    try:
        return str(error)
    except Exception as failure:
        return f"(str() of it raised {type(failure).__name__})"


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its kind where it says nothing."""
    lines = text_of(error).strip().splitlines()
    return printable(lines[0], most=500) if lines else type(error).__name__


def raise_if_any(mistakes: Sequence[str]) -> None:
    """Raise one UserError for all mistakes found so far, so that a file is mended in one go."""
    if mistakes:
        raise UserError(*mistakes)
