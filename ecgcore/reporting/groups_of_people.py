"""Whose records: ages, sexes, devices and sites as groups, from what is known of each record. Names in, indices out."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ecgcore.readers.about import KNOWN, years

AGES = ((18, "under 18"), (40, "18 to 39"), (60, "40 to 59"), (80, "60 to 79"), (float("inf"), "80 and above"))
UNKNOWN = "unknown"
MOST = 12  # groups of one kind, the largest; the others are one group

About = Mapping[str, Mapping[str, str]]


def groups_by(kind: str, records: Sequence[str], about: About) -> dict[str, list[int]]:
    """Return by group of one kind (age, sex, site, device) the places of its records; empty where nothing is known.

    Age groups from the youngest on, others from the largest; last those of whom it is unknown.
    """
    said = [about.get(name, {}).get(kind, "") for name in records]
    groups = [_age_group(text) if kind == "age" else text or UNKNOWN for text in said]
    if set(groups) <= {UNKNOWN}:
        return {}
    found: dict[str, list[int]] = {}
    for place, group in enumerate(_largest(groups)):
        found.setdefault(group, []).append(place)
    return dict(sorted(found.items(), key=lambda item: _order(kind, item[0], len(item[1]))))


def age_of(record: str, about: About) -> float | None:
    """Return an age in years; None if it is unknown."""
    text = years(about.get(record, {}).get("age"))
    return float(text) if text else None


def kinds_known(records: Sequence[str], about: About) -> list[str]:
    """Return what is known of at least one of the records."""
    return [kind for kind in KNOWN if any(about.get(name, {}).get(kind) for name in records)]


def _age_group(text: str) -> str:
    number = years(text)
    return next(name for below, name in AGES if float(number) < below) if number else UNKNOWN


def _largest(groups: Sequence[str]) -> list[str]:
    counts = Counter(groups)
    if len(counts) <= MOST:
        return list(groups)
    kept = {name for name, _ in counts.most_common(MOST)} | {UNKNOWN}
    others = f"{len(set(counts) - kept)} others"
    return [name if name in kept else others for name in groups]


def _order(kind: str, group: str, size: int) -> tuple[int, int, str]:
    if group == UNKNOWN:
        return 1, 0, ""
    return 0, [name for _, name in AGES].index(group) if kind == "age" else -size, group
