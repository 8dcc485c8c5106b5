"""Who the recordings are of: age, sex, devices, sites, in the open part and, where it is known, in the tested one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecgcore.data.about_file import read_about
from ecgcore.readers.about import KNOWN
from ecgcore.reporting.groups_of_people import About, age_of, groups_by, kinds_known
from ecgcore.reporting.section import Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import UNDEFINED, share_text


def people_section(store: Path, tested: Tested | None, *, records: Sequence[str]) -> Section:
    """Return the section; records: the names of those that are not tested.

    Raises ValueError where what the store says of them is damaged.
    """
    title, about = "Whose recordings", read_about(store)
    parts: dict[str, tuple[Sequence[str], About]] = {"open records": (records, about)}
    if tested is not None and tested.about:
        parts["tested records"] = (tested.records, tested.about)
    known_of_some = {kind for names, known in parts.values() for kind in kinds_known(names, known)}
    kinds = [kind for kind in KNOWN if kind in known_of_some]
    if not kinds:
        said = "Nothing is known of age, sex, device or site: the store has no about.csv, or the source does not say."
        return Section(title=title, about="data", paragraphs=(said,))
    rows = [row for kind in kinds for row in _rows(kind, parts)]
    caption = "Records by age, sex, device and site; a patient with several records counts as often. Ages in years."
    return Section(title=title, about="data", tables=(Table(caption=caption, columns=("", *parts), rows=rows),))


def _rows(kind: str, parts: dict[str, tuple[Sequence[str], About]]) -> list[list[str]]:
    rows = []
    if kind == "age":
        rows.append(["age: median (quartiles)", *(_quartiles(*part) for part in parts.values())])
    grouped = [groups_by(kind, *part) for part in parts.values()]
    names = list(dict.fromkeys(name for groups in grouped for name in groups))
    for name in names:
        cells = [share_text(len(groups.get(name, ())), sum(map(len, groups.values()))) for groups in grouped]
        rows.append([f"{kind}: {name}", *cells])
    return rows


def _quartiles(records: Sequence[str], about: About) -> str:
    ages = [age for name in records if (age := age_of(name, about)) is not None]
    if not ages:
        return UNDEFINED
    low, middle, high = np.quantile(ages, [0.25, 0.5, 0.75])
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"
