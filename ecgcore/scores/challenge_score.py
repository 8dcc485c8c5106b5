"""The score of the PhysioNet/CinC challenges of 2020 and 2021: a matrix says what each confusion is worth.

The matrix is a CSV of the challenge's own form (classes as SNOMED codes or abbreviations in the first row and column,
several names of one class joined by `|`); it is given by path and never part of the project.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.table_words import table_text

NORMAL = ("NSR", "426783006")  # sinus rhythm: what a model that knows nothing would say
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChallengeScore:
    """What calling one class in the place of another is worth, for a store's classes."""

    rewards: NDArray[np.float64]  # (true class, called class)
    normal: int  # index of sinus rhythm

    @classmethod
    def read(cls, path: Path, classes: Sequence[str]) -> Self:
        """Read the matrix at `path` for `classes`. Raises ValueError with every class that it lacks."""
        try:
            with table_text(path) as file:
                rows = [row for row in csv.reader(file) if row]
            values = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
        except (OSError, ValueError, IndexError) as error:
            raise Mistake(f"{path}: not a matrix of rewards ({error}); give the challenge's weights.csv") from None
        names = [row[0].split("|") for row in rows[1:]]
        if values.shape != (len(names), len(names)) or [cell.split("|") for cell in rows[0][1:]] != names:
            raise Mistake(f"{path}: rows and columns must name the same classes; give the challenge's weights.csv")
        found = [next((at for at, known in enumerate(names) if name in known), None) for name in classes]
        mistakes = [f"{path}: has no class {name}" for name, at in zip(classes, found, strict=True) if at is None]
        if not set(NORMAL) & set(classes):
            mistakes.append(f"{path}: the store needs sinus rhythm as a class, called {' or '.join(NORMAL)}")
        if mistakes:
            raise Mistake(
                "\n".join(f"{mistake}; map the store's codes to the matrix's classes" for mistake in mistakes)
            )
        chosen = np.array([at for at in found if at is not None])
        normal = next(index for index, name in enumerate(classes) if name in NORMAL)
        return cls(rewards=values[np.ix_(chosen, chosen)], normal=normal)

    def __call__(self, called: Booleans, labels: NDArray[np.floating]) -> float:
        """Return the reward of the calls, 1 for all right and 0 for always sinus rhythm, from (records, classes)."""
        truth = labels > 0.5
        always = np.zeros_like(truth)
        always[:, self.normal] = True
        nothing, everything = self._reward(always, truth), self._reward(truth, truth)
        if everything == nothing:  # only sinus rhythm is there: all right is all that can be had
            return 0.0
        return (self._reward(called, truth) - nothing) / (everything - nothing)

    def _reward(self, called: Booleans, truth: Booleans) -> float:
        """Sum of rewards over pairs of a true and a called class, each record's shared among all its classes."""
        either = np.maximum((called | truth).sum(axis=1), 1)
        pairs = (truth / either[:, None]).T @ called.astype(np.float64)
        return float((pairs * self.rewards).sum())
