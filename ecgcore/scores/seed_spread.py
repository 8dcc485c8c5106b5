"""How much of a score is luck: each member of an ensemble judged for itself. A final's differ by seed."""

import numpy as np
from numpy.typing import NDArray

from ecgcore.scores.metrics import collapsed, decide, macro_auc, macro_f1

Floats = NDArray[np.floating]


def seed_spread(by_member: Floats, labels: Floats, *, multilabel: bool) -> dict[str, float]:
    """Return macro_auc_seed_1, macro_f1_seed_1, ...; of several members mean, sd, smallest and largest of each, too.

    by_member: probabilities (members, records, classes) as the members say them, decided at .5 or by the largest.
    seeds_collapsed: how many call every record the same; they count in mean and sd.
    """
    called = [decide(member, multilabel=multilabel) for member in by_member]
    scores = {
        "macro_auc": [macro_auc(member, labels) for member in by_member],
        "macro_f1": [macro_f1(one, labels) for one in called],
    }
    found = {f"{name}_seed_{number}": one for name, all_ in scores.items() for number, one in enumerate(all_, start=1)}
    if len(by_member) > 1:
        for name, values in scores.items():
            found |= {f"{name}_seeds_mean": float(np.mean(values)), f"{name}_seeds_sd": float(np.std(values, ddof=1))}
            found |= {f"{name}_seeds_worst": min(values), f"{name}_seeds_best": max(values)}
        found["seeds_collapsed"] = float(sum(map(collapsed, called)))
    return found
