"""The one check that parts of the data share nobody: neither a patient nor a signal. Names in, an error or nothing out.

Knows no store, so that whoever writes one and whoever opens one assert the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from ecgcore.mistakes import Mistake

SHOWN = 5  # shared names per message; the number is always given


class Members(NamedTuple):
    """Whom a part holds."""

    patients: Sequence[str]
    fingerprints: Iterable[int]  # of signals, see Records


def assert_disjoint(parts: Mapping[str, Members]) -> None:
    """Raise ValueError naming the patients and the signals that two parts share, all pairs in one message."""
    mistakes = []
    for (first, one), (second, other) in combinations(parts.items(), 2):
        patients = sorted(set(one.patients) & set(other.patients))
        signals = sorted(set(map(int, one.fingerprints)) & set(map(int, other.fingerprints)))
        mistakes += _shared("patient", patients, first, second)
        mistakes += _shared("signal", [f"{signal & 0xFFFF_FFFF_FFFF_FFFF:016x}" for signal in signals], first, second)
    if mistakes:
        raise Mistake("\n".join(mistakes))


def _shared(what: str, names: Sequence[str], first: str, second: str) -> list[str]:
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return [f"no {what} may be in two parts, but {first} and {second} share {len(names)}: {shown}"]
