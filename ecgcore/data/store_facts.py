"""What is written down of a store wherever something came of it: what it holds, and what its splits make uncertain."""

import json

import numpy as np

from ecgcore.data.store import Store
from ecgcore.fit import Scalar
from ecgcore.readers.source import BY_RECORD


def facts_of(store: Store) -> dict[str, Scalar]:
    """Return facts of a store by name, as plain values; `data` is the hash of its content."""
    by_record = store.divided_by == BY_RECORD
    return {
        **({"divided_by": store.divided_by} if by_record else {}),
        "folds": len(store.splits),
        "data": store.content_hash,
        "classes": ",".join(store.classes),
        "multilabel": store.multilabel,
        "leads": ",".join(store.leads),
        "rate": store.rate,
        "processing": json.dumps(dict(store.processing), sort_keys=True) if store.processing else "",
        "records": len(store.records),
        "patients": len(set(store.records.patients)),
        # see scores/bootstrap.py
        "test_varies": "records, as if each were of another patient (divided by record)" if by_record else "patients",
        # what folds share makes their scores alike: a corrected t-test asks how much of the data each judges
        "test_over_train": round(float(np.mean([len(s.validation) / len(s.train) for s in store.splits])), 6),
    }
