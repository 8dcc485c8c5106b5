"""Recordings that two folders share, though files, rates or filters differ: for weights that must not have seen others.

A fingerprint knows a copy by its bytes. The same heartbeat at 500 Hz and at 100 Hz has other bytes, and the same shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signals.arithmetic import band_pass, flat_leads, resample

RATE, SECONDS = 50.0, 6.0  # what is compared: the first 6 s at 50 Hz
BAND = (1.0, 15.0)  # Hz: what every recorder and every filter leaves
# Measured as the median over leads: copies of PTB-XL at 100 and 500 Hz correlate by .998 and more, any two other
# recordings of PTB-XL, LUDB and the challenge by .84 at most, since two hearts do not keep step for 6 s.
ALIKE = 0.95
BLOCK = 256  # outlines compared with all others at a time: every pair at once would not fit into memory

Shape = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """What is left of a recording for comparison."""

    name: str
    shapes: dict[str, Shape]  # lead -> its first seconds, of mean 0 and length 1


def outline(name: str, signal: NDArray[np.float32], *, rate: float, leads: Sequence[str]) -> Outline:
    """Reduce a (leads, samples) signal to its outline; leads that are flat, and recordings under 6 s, have none."""
    if signal.shape[1] < SECONDS * rate or rate <= 2 * BAND[1]:
        return Outline(name=name, shapes={})
    signal = signal[:, : round(2 * SECONDS * rate)]  # a recording of half an hour need not be filtered whole
    flat = flat_leads(signal)
    slow = resample(signal, rate=rate, to=RATE)
    inner = band_pass(slow, rate=RATE, low=BAND[0], high=BAND[1])[:, : round(SECONDS * RATE)]
    inner = inner - inner.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(inner, axis=1)
    return Outline(
        name=name,
        shapes={
            lead: (inner[row] / lengths[row]).astype(np.float32)
            for row, lead in enumerate(leads)
            if row not in flat and lengths[row] > 0
        },
    )


def shared(one: Sequence[Outline], other: Sequence[Outline]) -> list[tuple[str, str]]:
    """Return the pairs of names whose outlines are alike in most of the leads that both have."""
    leads = {lead for each in one for lead in each.shapes} & {lead for each in other for lead in each.shapes}
    pairs = []
    for begin in range(0, len(one), BLOCK):
        block = one[begin : begin + BLOCK]
        votes = np.zeros((len(block), len(other)), np.int16)
        present = np.zeros_like(votes)
        for lead in sorted(leads):
            first, second = _stacked(block, lead), _stacked(other, lead)
            votes += first @ second.T > ALIKE
            present += np.outer(first.any(axis=1), second.any(axis=1))
        alike = np.argwhere((votes > 0) & (2 * votes > present))
        pairs += [(block[row].name, other[column].name) for row, column in alike.tolist()]
    return pairs


def _stacked(outlines: Sequence[Outline], lead: str) -> NDArray[np.float32]:
    nothing = np.zeros(round(SECONDS * RATE), np.float32)
    return np.stack([each.shapes.get(lead, nothing) for each in outlines])
