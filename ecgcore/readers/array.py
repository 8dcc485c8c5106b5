"""One's own NumPy array (`.npy`, records x leads x samples) and a CSV with a line a record -> a Source and signals.

What an array does not say of itself, rate, leads and unit, has to be named: nothing is guessed. Shorter records end in
NaN.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.labels_csv import read_table
from ecgcore.readers.record import Recording, check_samples
from ecgcore.readers.source import RELATIVE, ArrayRow, Listed, Source
from ecgcore.signals.arithmetic import MILLIVOLTS_PER_UNIT, canonical_lead, in_millivolts, lead_order


@dataclass(frozen=True, kw_only=True)
class ArrayFormat:
    """What the numbers of an array are."""

    rate: float | None  # Hz
    leads: tuple[str, ...]  # of its second axis, in order
    unit: str | None  # mV, uV or V

    def mistakes(self) -> list[str]:
        """Return what is missing or impossible, a line each."""
        found = []
        if self.rate is None or not 0 < self.rate < np.inf:
            found.append(f"--array-rate must say the sampling rate of the array in Hz, but got {self.rate}")
        if not self.leads or len({lead.lower() for lead in self.leads}) < len(self.leads):
            found.append(
                f"--array-leads must name the leads of the array in order, each once, but got {','.join(self.leads)!r}"
            )
        if self.unit is None or self.unit.lower() not in MILLIVOLTS_PER_UNIT:
            found.append(f"--array-unit must be mV, uV or V, but got {self.unit}")
        return found


def array_source(file: Path, form: ArrayFormat, *, table: Path | None = None) -> Source:
    """List the rows of `file` by a CSV (default labels.csv beside it): record,patient,labels[,fold], in the same order.

    Raises ValueError for all mistakes of format, array and table at once.
    """
    table = table or file.with_name("labels.csv")
    mistakes = form.mistakes()
    array = _mapped(file, mistakes)
    listed, found = read_table(table, missing=lambda name: None)
    mistakes += found
    if array is not None and form.leads and array.shape[1] != len(form.leads):
        mistakes.append(
            f"{file}: --array-leads must name every lead, but the array has {array.shape[1]} and {len(form.leads)} "
            "are named"
        )
    if array is not None and not found and len(listed) != len(array):
        mistakes.append(
            f"{table}: there must be a line for every record of the array, in its order, but there are {len(listed)} "
            f"lines for {len(array)} records"
        )
    classes = tuple(sorted({label for record in listed for label in record.labels}))
    if not mistakes and len(classes) < 2:
        mistakes.append(
            f"{table}: there must be two classes or more, but the labels are {', '.join(classes) or 'none'}"
        )
    if mistakes:
        raise Mistake("\n".join(mistakes))
    assert form.rate is not None
    assert form.unit is not None
    leads = tuple(canonical_lead(lead) for lead in form.leads)
    rows = [
        replace(record, path=file, array=ArrayRow(row=row, rate=form.rate, leads=leads, unit=form.unit))
        for row, record in enumerate(listed)
    ]
    return Source(
        reader="numpy",
        directory=file,
        target="labels",
        classes=classes,
        multilabel=any(len(record.labels) > 1 for record in rows),
        records=tuple(rows),
        tables=(table,),
        leads=leads,
    )


def read_row(
    listed: Listed, leads: Sequence[str] | None = None, *, values_of: Callable[[Path, int], NDArray[Any]]
) -> Recording:
    """Read one record of an array, its rows in the order of `leads` (None: all, as they come).

    values_of: returns the (leads, samples) signal of a row of the file.

    Raises ValueError `<name>: <reason>` as `read_record` does.
    """
    assert listed.array is not None
    said = listed.array
    try:
        order = lead_order(said.leads, said.leads if leads is None else leads)
        values = np.asarray(values_of(listed.path, said.row)[order], np.float64)
        there = np.flatnonzero(~np.isnan(values).all(axis=0))
        values = values[:, : there[-1] + 1 if len(there) else 0]  # what lies behind is padding
        # What was scaled before it was published has no unit to convert from.
        signal = values.astype(np.float32) if said.unit == RELATIVE else in_millivolts(values, [said.unit] * len(order))
        check_samples(signal, [said.leads[row] for row in order])
    except (ValueError, OSError, IndexError) as error:
        raise Mistake(f"{listed.name}: {error}") from error
    return Recording(
        name=listed.name,
        patient=listed.patient,
        labels=listed.labels,
        signal=signal,
        rate=said.rate,
        leads=tuple(said.leads[row] for row in order),
        units=(said.unit,) * len(order),
    )


def mapped_row(file: Path, row: int) -> NDArray[Any]:
    """Return the (leads, samples) signal of a row of a .npy file, in its own unit."""
    return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False)[row])


def _mapped(file: Path, mistakes: list[str]) -> NDArray[np.generic] | None:
    if file.exists() and not file.is_file():  # reading from a pipe would wait for ever
        mistakes.append(f"{file}: must be a .npy file, as numpy.save writes it, but is no plain file")
        return None
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        mistakes.append(
            f"{file}: must be a .npy file of numbers, as numpy.save writes it, but cannot be read ({reason})"
        )
        return None
    if not isinstance(array, np.ndarray) or array.ndim != 3 or array.dtype.kind not in "fiu":
        shape, kind = getattr(array, "shape", "several arrays"), getattr(array, "dtype", "")
        mistakes.append(f"{file}: must be an array of numbers (records, leads, samples), but is {shape} {kind}")
        return None
    return array
