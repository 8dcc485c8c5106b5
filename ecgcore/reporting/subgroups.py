"""Scores of subgroups: age, sex, device and site, each with its interval; small groups are said to be too small."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.reporting.class_scores import varies
from ecgcore.reporting.figure_file import COLOURS, FAINT, QUIET, drawn, legible
from ecgcore.reporting.groups_of_people import groups_by, kinds_known
from ecgcore.reporting.section import Figure, Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import records_text, score_text
from ecgcore.scores.class_intervals import Estimate, macro_estimates, resampled
from ecgcore.scores.metrics import class_auc

FEWEST = 20  # records of which a score is given
TOO_FEW, ONE_CLASS = "too few", "one class only"


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Some of the tested records."""

    name: str
    records: int
    patients: int
    classes: int = 0  # those that some of its records have and some have not: macro-AUC is over them
    area: Estimate | None = None  # None: too few
    f1: Estimate | None = None
    why_none: str = ""


def subgroups_section(tested: Tested, figures: Path) -> Section | None:
    """Return the section; None where nothing is known of whose records were tested."""
    groups = subgroups(tested)
    if len(groups) < 2:
        return None
    scored = [group for group in groups if group.area is not None]
    caption = (
        f"Scores by subgroup of the test's {records_text(len(tested.records))}, {varies(tested)} Macro-AUC is the mean "
        "over the classes that some records of the group have and some lack, whose number is in brackets: groups with "
        "other classes are not comparable. Of many groups one looks bad by chance. Groups of fewer than "
        f"{FEWEST} records, or of one class only, have no score."
    )
    pictures: list[Figure] = []
    if len(scored) > 1:
        _draw(scored, figures)
        said = (
            "Macro-AUC by subgroup with 95 % intervals; the line is that of all records. The numbers are in the table."
        )
        pictures.append(Figure(name="subgroups", caption=said))
    table = Table(
        caption=caption,
        columns=("group", "records", "patients", "macro-AUC (classes)", "macro-F1"),
        rows=[_row(group) for group in groups],
    )
    return Section(title="Subgroups", about="test", tables=(table,), figures=tuple(pictures))


def subgroups(tested: Tested) -> list[Subgroup]:
    """Return all records first, then each subgroup."""
    found = [_scored("all", list(range(len(tested.records))), tested)]
    for kind in kinds_known(tested.records, tested.about):
        groups = groups_by(kind, tested.records, tested.about)
        found += [_scored(f"{kind}: {name}", places, tested) for name, places in groups.items()]
    return found


def _scored(name: str, places: list[int], tested: Tested) -> Subgroup:
    chosen = np.array(places)
    scores, called, labels = tested.scores[chosen], tested.called[chosen], tested.labels[chosen]
    patients = [tested.patients[place] for place in places]
    sizes: dict[str, Any] = {"name": name, "records": len(places), "patients": len(set(patients))}
    classes = int((~np.isnan(class_auc(scores, labels))).sum())
    if len(places) < FEWEST:
        return Subgroup(**sizes, why_none=TOO_FEW)
    if not classes:
        return Subgroup(**sizes, why_none=f"{TOO_FEW}: {ONE_CLASS}")
    area, f1 = macro_estimates(scores, called, labels, patients, resampled(patients))
    return Subgroup(**sizes, classes=classes, area=area, f1=f1)


def _row(group: Subgroup) -> list[str]:
    sizes = [group.name, f"{group.records:,}", f"{group.patients:,}"]
    if group.area is None or group.f1 is None:
        return [*sizes, group.why_none, group.why_none]
    area, f1 = (score_text(one.value, (one.low, one.high)) for one in (group.area, group.f1))
    return [*sizes, f"{area} ({group.classes})", f1]


def _draw(groups: list[Subgroup], figures: Path) -> None:
    with drawn(figures, "subgroups", height=max(2.0, 0.9 + 0.24 * len(groups))) as drawing:
        axes = drawing.subplots()
        places = -np.arange(len(groups))
        values = np.array([group.area.value for group in groups if group.area])
        low, high = (np.array([getattr(group.area, end) for group in groups]) for end in ("low", "high"))
        reach = np.maximum(np.nan_to_num([values - low, high - values]), 0)
        axes.axvline(values[0], color=FAINT, linewidth=1)
        axes.errorbar(values, places, xerr=reach, fmt="o", markersize=4, capsize=2, color=COLOURS[0])
        axes.axvline(0.5, color=QUIET, linestyle=":", linewidth=1)
        axes.set_yticks(places, [f"{legible(group.name)} ({group.records:,})" for group in groups])
        axes.set(xlabel="macro-AUC (dotted: chance)", xlim=(None, 1.01))
        axes.tick_params(axis="y", length=0)
