"""Who belongs together: records linked by what they share, directly or through others. Names in, numbers out."""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def linked(keys: Sequence[Iterable[Hashable]]) -> NDArray[np.int64]:
    """Return a group number per record; records that share a key, or are linked through others, have the same."""
    from scipy.sparse import coo_array  # a second, which a recipe's check need not wait for
    from scipy.sparse.csgraph import connected_components

    number: dict[Hashable, int] = {}
    edges = [(record, number.setdefault(key, len(number))) for record, own in enumerate(keys) for key in own]
    if not edges:
        return np.arange(len(keys), dtype=np.int64)
    records, shared = np.array(edges).T
    nodes = len(keys) + len(number)
    graph = coo_array((np.ones(len(edges)), (records, len(keys) + shared)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1][: len(keys)], dtype=np.int64)
