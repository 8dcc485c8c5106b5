import numpy as np
import pytest
import torch

from ecgcore.models.classifier import build_classifier
from ecgcore.training.feature_store import FeatureCache, compute_features
from tests.ecgcore.tiny import tiny_records

RECORDS = tiny_records(9, seed=1, multilabel=True, lengths=(90, 61))


def model_of(seed: int):
    torch.manual_seed(seed)
    return build_classifier("cnn1d", leads=2, classes=3)


def test_features_are_those_of_each_record_in_order_in_eval_mode():
    model = model_of(0)
    features = compute_features(model, RECORDS)
    for index in range(len(RECORDS)):
        signal = torch.tensor(RECORDS.signal(index))[None]
        with torch.no_grad():
            alone = model.features(signal, torch.tensor([signal.shape[2]]))
        assert features[index].numpy() == pytest.approx(alone[0].numpy(), abs=1e-5)


def test_equal_weights_share_features_and_others_do_not():
    cache = FeatureCache()
    first = cache.get(model_of(0), RECORDS, content="a")
    assert cache.get(model_of(0), RECORDS, content="a") is first
    assert cache.get(model_of(0), RECORDS, content="b") is not first
    assert not np.array_equal(cache.get(model_of(1), RECORDS, content="a"), first)


def test_the_longest_unused_is_forgotten_first():
    cache = FeatureCache(size=2)
    first = cache.get(model_of(0), RECORDS, content="a")
    cache.get(model_of(1), RECORDS, content="a")
    cache.get(model_of(0), RECORDS, content="a")
    cache.get(model_of(2), RECORDS, content="a")
    assert len(cache) == 2
    assert cache.get(model_of(0), RECORDS, content="a") is first
