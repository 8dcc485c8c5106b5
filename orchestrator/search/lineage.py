"""From which weights the fits of a search come: none, those of an earlier stage, or, of a final, the winner's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

StartFrom = Callable[[int, int], Path | None]  # (seed index, fold) to the weights that the fit starts from


def from_nothing(_seed: int, _fold: int) -> None:
    """Every weight is drawn anew."""


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """What every fit of a search is given of earlier searches."""

    start_from: StartFrom = from_nothing
    final: bool = False  # the fits retrain a winner, on train + validation
