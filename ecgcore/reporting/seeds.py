"""How much a score depends on the seed: each member of the tested model by itself, and all together."""

import numpy as np
from numpy.typing import NDArray

from ecgcore.reporting.class_scores import varies
from ecgcore.reporting.section import Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import score_text
from ecgcore.scores.class_intervals import macro_estimates


def seeds_section(tested: Tested, weights: NDArray[np.float64]) -> Section | None:
    """Return the section; None where the model has one member, or nothing is known of them."""
    areas, f1 = (np.array(tested.by_seed.get(name, ())) for name in ("macro_auc", "macro_f1"))
    if len(areas) < 2 or len(areas) != len(f1):
        return None
    together = macro_estimates(tested.scores, tested.called, tested.labels, tested.patients, weights)
    rows = [
        *([f"member {number}", *map(score_text, pair)] for number, pair in enumerate(zip(areas, f1, strict=True), 1)),
        [
            "mean of the members (sd)",
            *(f"{score_text(one.mean())} ({score_text(one.std(ddof=1))})" for one in (areas, f1)),
        ],
        ["all together, as tested", *(score_text(one.value, (one.low, one.high)) for one in together)],
    ]
    caption = (
        "The members of the tested model, each alone with its own probabilities and thresholds of .5 (one label: the "
        f"most probable class), and all together, calibrated, {varies(tested)}"
    )
    table = Table(caption=caption, columns=("", "macro-AUC", "macro-F1"), rows=rows)
    return Section(title="Spread over members", about="test", tables=(table,))
