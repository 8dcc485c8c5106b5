"""A member of an exported model (`model.pt`) as weights to start from. What it saw is in the file, or unknown."""

from pathlib import Path

import numpy as np

from ecgcore.data.inputs import CHARTS
from ecgcore.models.registry import network_of
from ecgcore.training.checkpoints import Checkpoint, checkpoint_of, read_tensors

FILE = "model.pt"


def read_weights(path: Path, *, seed: int) -> Checkpoint:
    """Read a fit's checkpoint, or of an exported model (its file, or its folder) the member that the seed draws.

    Fits of other seeds start from other members, so that their scores vary as those of independent fits do. Raises
    ValueError for what is neither.
    """
    file = path / FILE if path.is_dir() else path
    content = read_tensors(file)
    if "members" not in content:
        return checkpoint_of(file, content)
    members = content["members"]
    member = members[seed % len(members)]
    processing = dict(content.get("processing", {}))
    if CHARTS in processing and network_of(member["config"]["model"]).takes == "signals":
        del processing[CHARTS]  # which are another member's
    seen = content.get("fingerprints")
    return Checkpoint(
        step=0,
        max_steps=0,
        seed=seed,
        fold=0,
        final=True,
        config=member["config"],
        data="",
        classes=tuple(content["classes"]),
        leads=tuple(content["leads"]),
        rate=content["rate"],
        multilabel=content["multilabel"],
        processing=processing,
        weights=member["weights"],
        optimiser={},
        schedule={},
        random={},
        fingerprints=np.zeros(0, np.int64) if seen is None else seen.numpy(),
        predictions=None,
        unknown_history=seen is None or bool(content.get("unknown_history", False)),
    )
