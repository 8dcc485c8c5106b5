"""Which classes of another store are which of a model's: by equal names, or as a CSV (theirs,ours) says."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.table_words import control_characters, table_text

COLUMNS = ("theirs", "ours")
NO_CLASS = "of none of the model's classes"
SEVERAL = "of several of the model's classes, which exclude each other"
Labels = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ClassMap:
    """From the classes of another store to those of a model."""

    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    ours_of: Mapping[str, str]  # by class of theirs the one of ours
    none_of_ours: frozenset[str] = frozenset()  # classes of theirs that are known to be none of ours
    absent: tuple[str, ...] = ()  # what a table names and the other store has not: one table may be of several stores

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the classes of theirs of which nobody said which of ours they are."""
        return tuple(name for name in self.theirs if name not in self.ours_of and name not in self.none_of_ours)

    def labels(self, theirs: Labels) -> Labels:
        """Return labels (records, their classes), 0 or 1, as labels (records, our classes)."""
        found = np.zeros((len(theirs), len(self.ours)), np.float32)
        for name, other in self.ours_of.items():
            column = self.ours.index(other)
            found[:, column] = np.maximum(found[:, column], theirs[:, self.theirs.index(name)])
        return found

    def left_out(self, theirs: Labels, *, multilabel: bool) -> dict[int, str]:
        """Return by record why it cannot be scored: what its labels say of our classes is not known, or not one class.

        multilabel: whether our classes may be several a record. Then, and only then, is a record all of whose labels
        are known to be none of ours a record without any. Where there is one, none of its labels may be unknown.
        """
        ours = self.labels(theirs).sum(axis=1)
        none, unknown = (
            theirs[:, [self.theirs.index(name) for name in names]].sum(axis=1)
            for names in (sorted(self.none_of_ours), self.unknown)
        )
        unclear = (ours == 0) & ((none == 0) | (unknown > 0)) if multilabel else (ours == 0) | (unknown > 0)
        several = (ours > 1) & (not multilabel)
        return {int(record): NO_CLASS if unclear[record] else SEVERAL for record in np.flatnonzero(unclear | several)}


def class_map(theirs: Sequence[str], ours: Sequence[str], table: Path | None = None) -> ClassMap:
    """Return which of their classes is which of ours: as the table says, and where it says nothing, of equal name.

    table: a CSV with the columns theirs,ours; an empty `ours` says that it is none of them. Raises ValueError with all
    mistakes of the table at once, and where no class of theirs is one of ours.
    """
    stated = {} if table is None else _read(table, ours)
    known = {name: stated.get(name, name if name in ours else None) for name in theirs}
    ours_of = {name: other for name, other in known.items() if other}
    if not ours_of:
        raise Mistake(
            f"{table or '--labels'}: some class must be one of the model's, {', '.join(ours)}; the other store has "
            f"{', '.join(theirs)}; say in a CSV with the columns {','.join(COLUMNS)} which is which"
        )
    none = frozenset(name for name, other in known.items() if other == "")
    return ClassMap(
        theirs=tuple(theirs),
        ours=tuple(ours),
        ours_of=ours_of,
        none_of_ours=none,
        absent=tuple(name for name in stated if name not in theirs),
    )


def _read(table: Path, ours: Sequence[str]) -> dict[str, str]:
    stated: dict[str, str] = {}
    mistakes = []
    with table_text(table) as file:
        rows = csv.reader(file)
        if tuple(next(rows, [])) != COLUMNS:
            raise Mistake(f"{table}:1: the first line must be {','.join(COLUMNS)}")
        for row in rows:
            place = f"{table}:{rows.line_num}"
            if len(row) != len(COLUMNS):
                mistakes.append(f"{place}: the line must be {','.join(COLUMNS)}, but is {','.join(row)!r}")
                continue
            name, other = (cell.strip() for cell in row)
            if hidden := control_characters(row):
                mistakes.append(f"{place}: {hidden}")
            elif name in stated:
                mistakes.append(f"{place}: {name} was listed before; one of theirs is one of ours: take a line out")
            else:
                stated[name] = other
            if other and other not in ours:
                mistakes.append(
                    f"{place}: ours must be a class of the model, {', '.join(ours)}, or empty for none, got {other!r}"
                )
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return stated
