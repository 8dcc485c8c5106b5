"""Names and values as MLflow takes them: of few characters, and not too long; what is changed stays unlike the others.

Text in, text out. Imports no MLflow.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from orchestrator.errors import printable

LONGEST_NAME = 220  # characters: MLflow takes 250, and some names become `NAME/seed0-fold1`
LONGEST_VALUE = 5000


def names_for(names: Iterable[str]) -> dict[str, str]:
    """Return for each name the one under which MLflow has it; no two have one.

    A class, which is part of some, may be called anything: other characters become _, a longer name ends in a hash.
    """
    given = list(dict.fromkeys(names))
    plain = {name: re.sub(r"[^\w.\- ]", "_", name) for name in given}
    times = Counter(plain.values())
    return {name: word if _fits(word) and times[word] == 1 else _hashed(word, name) for name, word in plain.items()}


def value_for(text: str) -> str:
    """Return a value as MLflow takes it; of a longer one the middle is left out, and a hash says which it was."""
    if len(text) <= LONGEST_VALUE:
        return printable(text, most=LONGEST_VALUE)
    return f"{printable(text, most=LONGEST_VALUE - 200)} [{_hash_of(text)}]"


def _fits(word: str) -> bool:
    return len(word) <= LONGEST_NAME and word not in ("", ".", "..")  # MLflow takes names for paths, too


def _hashed(word: str, name: str) -> str:
    return f"{word.strip('.')[: LONGEST_NAME - 10]}-{_hash_of(name)}"


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
