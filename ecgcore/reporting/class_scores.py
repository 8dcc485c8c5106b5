"""Each class's scores with their intervals, as a table."""

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.source import BY_RECORD
from ecgcore.reporting.section import Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import UNDEFINED, records_text, score_text
from ecgcore.scores.class_intervals import NAMES, class_estimates


def class_section(tested: Tested, weights: NDArray[np.float64]) -> Section:
    """Return the section."""
    found = class_estimates(tested.scores, tested.called, tested.labels, tested.patients, weights)
    counts = tested.labels.sum(axis=0)
    thresholds = tested.multilabel and tested.thresholds
    rows = [
        [
            name,
            f"{count:.0f}",
            *(score_text(one.value, (one.low, one.high)) for one in estimates.values()),
            *([score_text(tested.thresholds.get(name, np.nan))] if thresholds else []),
        ]
        for name, count, estimates in zip(tested.classes, counts, found, strict=True)
    ]
    columns = ("class", "records", *NAMES, *(["threshold"] if thresholds else []))
    caption = (
        f"Scores of each class on the test's {records_text(len(tested.records))}, {varies(tested)} PR-AUC is average "
        f"precision, to be compared with the share of records that have the class. "
        f"Without an interval: of one patient. {UNDEFINED}: nothing to divide by."
    )
    return Section(
        title="Scores of each class", about="test", tables=(Table(caption=caption, columns=columns, rows=rows),)
    )


def varies(tested: Tested) -> str:
    """Return what an interval of this test's contains, as the end of a sentence."""
    if tested.divided_by == BY_RECORD:
        return (
            "with 95 % intervals (bootstrap of records, as if each were of another patient: they say nothing about new "
            "patients, and nothing of what another training would give)."
        )
    patients = len(set(tested.patients))
    return f"with 95 % intervals (bootstrap of the {patients:,} patients; training anew is not in them)."
