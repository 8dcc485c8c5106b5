"""The names of runs and stages: each becomes a folder, so it is one plain word, and none that a run uses itself."""

import re

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
LONGEST = 100  # characters; a file system takes 255 bytes, of which names made of this one need some
TAKEN_BY_RUNS = ("mlflow", "mlflow.db")  # what lies beside the runs, and mlflow.db.lock and its like
TAKEN_IN_RUNS = ("final", "trials", "cluster", "start")  # what lies in a run
_RULE = f"must be one plain word of at most {LONGEST} characters: letters, digits, _, - and"


def run_name_mistake(name: str) -> str | None:
    """Return what is wrong with the name of a run that is new; None: nothing."""
    if not _WORD.fullmatch(name) or len(name) > LONGEST:
        return f"{_RULE} dots, with no - or dot at the beginning, got {name!r}"
    if name.lower() in TAKEN_BY_RUNS or name.lower().startswith("mlflow.db."):
        return f"must not be {' or '.join(TAKEN_BY_RUNS)}, which lie among the runs, got {name!r}"
    return None


def stage_name_mistake(name: str) -> str | None:
    """Return what is wrong with the name of a stage; None: nothing."""
    if not _WORD.fullmatch(name) or "." in name or len(name) > LONGEST:
        return f"{_RULE} no dots, since it is a folder, got {name!r}"
    if name.lower() in TAKEN_IN_RUNS or name.lower().startswith("final-"):
        return f"must not be {', '.join(TAKEN_IN_RUNS)} or begin with final-, which are folders of a run, got {name!r}"
    return None
