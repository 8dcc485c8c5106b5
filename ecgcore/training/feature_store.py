"""Features of a frozen backbone, computed once and kept while the worker lives.

A head stage trains hundreds of heads on the same features; only the first pays for the backbone. Keys are
contents, of normalisation and backbone and of the store: what is found under a key is what would be computed.
"""

import hashlib
from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor

from ecgcore.data.batches import by_length, gather
from ecgcore.data.store import Records
from ecgcore.models.classifier import Classifier


class FeatureCache:
    """The features of the last few backbones, least recently used out first."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._features: OrderedDict[tuple[str, str], Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._features)

    def get(self, model: Classifier, records: Records, *, content: str) -> Tensor:
        """Return all records' features (records, features) on the model's device; `content` is their hash."""
        key = (weights_hash(model.normalisation) + weights_hash(model.backbone), content)
        if key not in self._features:
            self._features[key] = compute_features(model, records)
        self._features.move_to_end(key)
        while len(self._features) > self._size:
            self._features.popitem(last=False)
        return self._features[key]


def weights_hash(module: torch.nn.Module) -> str:
    """Hash weights and buffers by name and value."""
    digest = hashlib.sha256(type(module).__name__.encode())
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()


def compute_features(model: Classifier, records: Records) -> Tensor:
    """Run the backbone in eval mode over all records: (records, features)."""
    device = next(model.parameters()).device
    model.backbone.eval()
    indices = np.arange(len(records))
    rows: dict[int, Tensor] = {}
    with torch.no_grad():
        for positions in by_length(records, indices):
            batch = gather(records, positions)
            features = model.features(batch.signals.to(device), batch.lengths)
            rows.update(zip(positions.tolist(), features, strict=True))
    return torch.stack([rows[index] for index in indices.tolist()])
