"""Records to padded batches, read from the memory-mapped store as they are needed.

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


class Signals(Protocol):
    """What a batch needs to know of records."""

    @property
    def lengths(self) -> NDArray[np.int64]: ...  # noqa: D102  (records,) samples
    def signal(self, index: int) -> NDArray[np.float32]: ...  # noqa: D102  (leads, samples) in mV


class Batch(NamedTuple):
    """Signals padded with zeros to the longest."""

    signals: Tensor  # (batch, leads, samples) float32 in mV
    lengths: Tensor  # (batch,) int64 samples


def gather(
    records: Signals, indices: NDArray[np.int64], *, starts: NDArray[np.int64] | None = None, shorter: int = 0
) -> Batch:
    """Copy records into one padded batch on the CPU.

    With `starts` (one a record, samples, at most `shorter`) a window of the record's length less `shorter`
    begins there.
    """
    begins = np.zeros(len(indices), np.int64) if starts is None else starts
    lengths = records.lengths[indices] - shorter
    leads = records.signal(int(indices[0])).shape[0]
    signals = np.zeros((len(indices), leads, int(lengths.max())), np.float32)
    for row, (index, begin, length) in enumerate(zip(indices, begins, lengths, strict=True)):
        signals[row, :, :length] = records.signal(int(index))[:, begin : begin + length]
    return Batch(torch.from_numpy(signals), torch.from_numpy(np.asarray(lengths, np.int64)))


def shuffled(indices: NDArray[np.int64], *, size: int) -> list[NDArray[np.int64]]:
    """Draw an order from torch's global generator; cut it into batches of at most `size`, equal within one.


    A remainder of one or two records would move the weights as much as a whole batch.
    """
    order = torch.randperm(len(indices)).numpy()
    return list(np.array_split(indices[order], batches_an_epoch(len(indices), size=size)))


def batches_an_epoch(records: int, *, size: int) -> int:
    """Return how many batches `records` make."""
    return -(-records // size)


def by_length(records: Signals, indices: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Positions within `indices`, in batches of similar length, for evaluation."""
    order = np.argsort(records.lengths[indices], kind="stable")
    for begin in range(0, len(order), EVALUATION_BATCH):
        yield order[begin : begin + EVALUATION_BATCH]
