"""A backbone that learns nothing: what a head alone can make of random features, which a search has to beat."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecgcore.data.batches import EVALUATION_BATCH, gather
from ecgcore.data.store import Records
from ecgcore.models.classifier import Classifier
from ecgcore.training.sampling import batched


def measure_norms(model: Classifier, records: Records, indices: NDArray[np.int64]) -> None:
    """Set the statistics of the backbone's batch norms to the means over one pass of the records, in place.

    Fresh ones (mean 0, variance 1) leave the signal to shrink or grow from layer to layer, and the head is then judged
    by the scale of its input; with measured ones it sees random features on the scale that training would give them.
    indices: the train part, so that nothing of other records is looked at. Draws nothing.
    """
    norms = [module for module in model.backbone.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    device = next(model.parameters()).device
    with torch.no_grad():
        for chosen in batched(indices, size=EVALUATION_BATCH) if norms else []:
            batch = gather(records, chosen)
            model.features(batch.signals.to(device), batch.lengths)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
