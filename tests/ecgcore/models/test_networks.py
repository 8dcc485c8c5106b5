from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.layers import Convolution, Sequences, mean_over_time

MODELS = ("cnn1d", "resnet_lstm")


def count(*models: Any) -> int:
    return sum(weight.numel() for model in models for weight in model.parameters())


def trained(name: str) -> Classifier:
    """A model whose norms have statistics of their own: those of a fresh one hide mistakes."""
    torch.manual_seed(3)
    model = build_classifier(name, leads=12, classes=5)  # type: ignore[arg-type]
    model(torch.randn(8, 12, 400), torch.full((8,), 400))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.bias)  # what a norm writes behind a record's end is then not zero by luck
    return model.eval()


TRAINED = {name: trained(name) for name in MODELS}


@pytest.mark.parametrize(("name", "classes", "weights"), [("cnn1d", 5, 46_757), ("resnet_lstm", 55, 2_987_128)])
def test_weights_are_as_published(name, classes, weights):
    assert count(build_classifier(name, leads=12, classes=classes)) == weights


def test_the_convolutional_part_of_the_resnet_is_as_published():
    backbone = build_classifier("resnet_lstm", leads=12, classes=55).backbone
    assert count(backbone.stem, backbone.blocks) == 2_182_208
    assert count(backbone.recurrent) == 790_528


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(16, 700), min_size=2, max_size=4), more=st.integers(0, 97))
def test_a_prediction_is_the_same_alone_and_in_a_padded_batch(name, lengths, more):
    """Within 1e-5, whatever the lengths, the padding, and what garbage lies in it."""
    signals = torch.randn(len(lengths), 12, max(lengths) + more)
    with torch.no_grad():
        together = TRAINED[name](signals, torch.tensor(lengths))
        for row, length in enumerate(lengths):
            alone = TRAINED[name](signals[row : row + 1, :, :length], torch.tensor([length]))
            assert (together[row] - alone[0]).abs().max() < 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_in_training_too_padding_changes_neither_statistics_nor_gradients(name):
    """The same two records, padded by nothing and by 300 samples of garbage."""
    signals, lengths = torch.randn(2, 12, 500), torch.tensor([500, 333])
    padded = torch.cat([signals, torch.randn(2, 12, 300)], dim=2)

    first, second = (one_step(name, values, lengths) for values in (signals, padded))

    for key, value in first.items():
        assert torch.allclose(value, second[key], atol=1e-4), key


def one_step(name: str, signals: Tensor, lengths: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = build_classifier(name, leads=12, classes=5).train()  # type: ignore[arg-type]
    model(signals, lengths).square().sum().backward()
    buffers = {key: value for key, value in model.named_buffers() if "running" in key}
    return buffers | {key: weight.grad for key, weight in model.named_parameters() if weight.grad is not None}


def test_the_norm_counts_valid_values_only():
    layer = Convolution(1, 1, kernel=1, relu=False).train()
    nn.init.ones_(layer.convolution.weight)
    values = torch.tensor([[[1.0, 3.0, 0.0, 0.0]], [[5.0, 7.0, 9.0, 0.0]]])

    layer(Sequences(values, torch.tensor([2, 3])))

    assert layer.norm.running_mean is not None
    assert layer.norm.running_mean.item() == pytest.approx(0.1 * 5.0)  # momentum .1 times the mean of 1 3 5 7 9


def test_the_mean_over_time_is_over_valid_time():
    values = torch.tensor([[[2.0, 4.0, 0.0]], [[3.0, 3.0, 3.0]]])
    assert mean_over_time(Sequences(values, torch.tensor([2, 3]))).tolist() == [[3.0], [3.0]]


def test_a_record_too_short_is_refused_with_its_length():
    with pytest.raises(ValueError, match="at least 16 samples, got 9"):
        TRAINED["cnn1d"](torch.zeros(1, 12, 9), torch.tensor([9]))
