"""Which records an epoch has, in which order, and which of them share a batch. Draws from torch's global generator."""

import numpy as np
import torch
from numpy.typing import NDArray

BUCKET = 8  # batches whose records are sorted by length among themselves

Indices = NDArray[np.int64]


def drawn(indices: Indices, *, weights: NDArray[np.float64] | None) -> Indices:
    """Draw an epoch from torch's global generator: each record once, or as many with replacement by `weights`."""
    if weights is None:
        order = torch.randperm(len(indices))
    else:
        order = torch.multinomial(torch.from_numpy(weights), len(indices), replacement=True)
    return np.asarray(indices[order.numpy()])


def batched(order: Indices, *, size: int, lengths: NDArray[np.int64] | None = None) -> list[Indices]:
    """Cut an epoch's order into batches of at most `size`, equal within one.

    A remainder of one or two records would move the weights as much as a whole batch. With `lengths` (of these
    records, in samples) those that share a batch are of similar length: each stretch of 8 batches is sorted by it, and
    the batches are shuffled.
    """
    batches = batches_an_epoch(len(order), size=size)
    if lengths is None:
        return list(np.array_split(order, batches))
    sorted_parts = []
    for part in np.array_split(np.arange(len(order)), -(-batches // BUCKET)):
        sorted_parts.append(part[np.argsort(lengths[part], kind="stable")])
    cut = np.array_split(order[np.concatenate(sorted_parts)], batches)
    return [cut[position] for position in torch.randperm(batches).tolist()]


def balancing_weights(labels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Weight of each record in class-balanced sampling: one over the records of its rarest class.

    labels: (records, classes) of the train part. Records without any label are a class of their own.
    """
    every = np.column_stack([labels > 0.5, ~(labels > 0.5).any(axis=1)])
    rarity = np.divide(1.0, every.sum(axis=0), out=np.zeros(every.shape[1]), where=every.any(axis=0))
    return np.asarray((every * rarity).max(axis=1), np.float64)


def batches_an_epoch(records: int, *, size: int) -> int:
    """Return how many batches `records` make."""
    return -(-records // size)
