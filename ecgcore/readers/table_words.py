"""What a table may say, whichever reader reads it: plain text, records below its folder, folds that are meant so."""

import csv
import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TextIO

from ecgcore.mistakes import Mistake

PARTS = ("test", "train", "validation")
_OTHER_WORDS = ("testing", "training", "valid", "val", "dev", "eval", "sealed", "holdout", "hold-out")  # for PARTS


@contextmanager
def table_text(table: Path) -> Iterator[TextIO]:
    """Open a CSV. Raises ValueError, in the block too, for what is no plain file, no UTF-8 text or no CSV."""
    if not table.is_file():
        raise Mistake(f"{table} must be a plain file, but is none")
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            yield file
    except (csv.Error, UnicodeDecodeError) as error:
        raise Mistake(f"{table}: the file must be comma-separated UTF-8 text, but cannot be read ({error})") from None


def control_characters(cells: Iterable[str | None]) -> str | None:
    """Return what to say of the first cell that holds a character that nobody sees, such as NUL; None: none does."""
    for cell in cells:
        hidden = next((letter for letter in (cell or "").strip() if ord(letter) < 32 or ord(letter) == 127), None)
        if hidden is not None:
            return f"the line must be text without control characters, but {cell!r} holds {hidden!r}"
    return None


def leads_outside(name: str) -> bool:
    """Return whether a name, taken as a path, lies elsewhere than below the folder in which it is looked for."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts


def fold_mistakes(folds: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield (line, mistake) for values of a column of folds, given with their lines, that cannot be meant so.

    Any name is a fold; but one that resembles test, train or validation without being it would be a validation fold
    without a word, and beside train and validation there is no third.
    """
    given = list(folds)
    divided = any(fold in ("train", "validation") for _, fold in given)
    for line, fold in given:
        if not fold or fold in PARTS:
            continue
        word = fold.lower()
        if word in _OTHER_WORDS or difflib.get_close_matches(word, PARTS, n=1, cutoff=0.75):
            yield line, f"fold must be {', '.join(PARTS)} where that is meant, in these letters, but got {fold!r}"
        elif divided:
            yield line, f"fold must be {', '.join(PARTS)} or empty where others are train or validation, got {fold!r}"
