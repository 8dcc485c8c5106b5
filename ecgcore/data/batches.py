"""Records to padded batches, read from the memory-mapped store as they are needed; in order of length for evaluation.

Copying a batch costs a thousandth of training on it, so nothing is kept in memory, and no worker processes
are needed.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EVALUATION_BATCH = 64  # records

Indices = NDArray[np.int64]


class Signals(Protocol):
    """What a batch needs to know of records."""

    @property
    def lengths(self) -> NDArray[np.int64]: ...  # noqa: D102  (records,) samples
    def signal(self, index: int) -> NDArray[np.float32 | np.uint8]: ...  # noqa: D102  (leads, samples) in mV, or a chart


class Batch(NamedTuple):
    """Signals padded with zeros to the longest."""

    signals: Tensor  # (batch, leads, samples) float32 in mV; or charts (inputs.py), uint8
    lengths: Tensor  # (batch,) int64 samples


def gather(
    records: Signals, indices: Indices, *, starts: Indices | None = None, lengths: Indices | None = None
) -> Batch:
    """Copy records, or of each the `lengths` samples from `starts` on, into one padded batch on the CPU."""
    begins = np.zeros(len(indices), np.int64) if starts is None else starts
    kept = records.lengths[indices] if lengths is None else lengths
    first = records.signal(int(indices[0]))
    signals = np.zeros((len(indices), len(first), int(kept.max())), first.dtype)
    for row, (index, begin, length) in enumerate(zip(indices, begins, kept, strict=True)):
        signals[row, :, :length] = records.signal(int(index))[:, begin : begin + length]
    return Batch(torch.from_numpy(signals), torch.from_numpy(np.asarray(kept, np.int64)))


def by_length(records: Signals, indices: Indices) -> Iterator[NDArray[np.int64]]:
    """Positions within `indices`, in batches of similar length, for evaluation."""
    order = np.argsort(records.lengths[indices], kind="stable")
    for begin in range(0, len(order), EVALUATION_BATCH):
        yield order[begin : begin + EVALUATION_BATCH]
