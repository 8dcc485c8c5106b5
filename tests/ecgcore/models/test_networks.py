from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ecgcore.fit import Scalar
from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.layers import Convolution, Sequences, mean_over_time, signed_max_pool
from ecgcore.models.registry import network_of, places

MODELS = tuple(name for name in places() if network_of(name).takes == "signals")
# Where what is asked is not of the width, a wide network is asked narrow: it takes a tenth of the time.
OWN: dict[str, dict[str, Scalar]] = {"s4": {"state_width": 32}}


def count(*models: Any) -> int:
    return sum(weight.numel() for model in models for weight in model.parameters())


def trained(name: str) -> Classifier:
    """A model whose norms have statistics of their own: those of a fresh one hide mistakes."""
    torch.manual_seed(3)
    model = build_classifier(name, leads=12, classes=5, own=OWN.get(name, {}))
    model(torch.randn(8, 12, 400), torch.full((8,), 400))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.LayerNorm):
            nn.init.normal_(module.bias)  # what a norm writes behind a record's end is then not zero by luck
    return model.eval()


TRAINED = {name: trained(name) for name in MODELS}


PUBLISHED = {name: network_of(name).published for name in places() if network_of(name).published}


@pytest.mark.parametrize("name", PUBLISHED)
def test_weights_are_as_published(name):
    published = PUBLISHED[name]
    with torch.device("meta"):  # nothing is drawn or held
        model = build_classifier(name, leads=published.leads, classes=published.classes)
    assert count(model) == published.weights


def test_the_published_counts_are_those_of_the_sources():
    """What a network's file says of its source is written here a second time: neither changes unnoticed."""
    said = {name: (one.weights, one.leads, one.classes) for name, one in PUBLISHED.items()}
    assert {
        "beat_cnn": (363_525, 1, 5),
        "beat_resnet": (441_157, 1, 5),
        "cnn1d": (46_757, 12, 5),
        "cnn2d": (6_613, 12, 5),
        "convnext_base": (87_570_564, 12, 4),
        "convnext_tiny": (27_823_204, 12, 4),
        "dual_path_resnet": (1_684_357, 1, 5),
        "efficientnet_b0": (4_012_672, 12, 4),
        "efficientnet_b3": (10_702_380, 12, 4),
        "heartbeat_cnn": (193_541, 1, 5),
        "inception1d": (516_167, 12, 71),
        "mobilenet_v3_large": (4_207_156, 12, 4),
        "mobilenet_v3_small": (1_521_956, 12, 4),
        "resnet18": (11_178_564, 12, 4),
        "resnet50": (23_516_228, 12, 4),
        "resnet_lstm": (2_987_128, 12, 55),
        "resnet_pooled": (2_196_343, 12, 55),
        "rhythm_mcu": (30_912, 1, 4),
        "xresnet1d101": (1_880_775, 12, 71),
    } == said
    counted = build_classifier("rhythm_mcu", leads=1, classes=4)
    norms = sum(value.numel() for name, value in counted.named_buffers() if "running" in name)
    assert 32_192 == count(counted) + norms  # as its source counts


def test_the_weights_of_the_networks_that_state_no_count_are_counted_by_hand():
    stages = ((64, 64), (64, 128), (128, 128), (128, 256), (256, 256))
    net1d = 12 * 64 * 15 + 2 * 64 - 2 * 64  # the first block has no norm of its own
    for inputs, width in (pair for one, other in stages for pair in ((one, other), (other, other))):
        net1d += 2 * inputs + inputs * width + width  # norm and convolution of one sample
        net1d += 2 * width + width * 16 * 15 + width + 2 * width + width * width + width
        net1d += 2 * width * (width // 2) + width // 2 + width  # excitation
    states = 512 + 2 * 512 * 4 + 2 * 512 * 4 * 2 + 512  # steps, decays and turns, both readouts, and the input itself
    s4 = 12 * 512 + 512 + 4 * (states + 512 * 512 + 512 + 2 * 512)

    counted = {name: count(build_classifier(name, leads=12, classes=71)) for name in ("net1d", "s4")}

    assert {"net1d": 1_412_871, "s4": 1_151_047} == counted
    assert {"net1d": net1d + 256 * 71 + 71, "s4": s4 + 512 * 71 + 71} == counted


def weights_of(layer: str, *, bias: bool) -> list[str]:
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = [f"{layer}.convolution.weight", *([f"{layer}.convolution.bias"] if bias else [])]
    return [*names, *(f"{layer}.norm.{name}" for name in norm)]


def block(number: int, *, shortcut: bool) -> list[str]:
    place = f"backbone.blocks.{number}"
    excitation = [f"{place}.excitation.squeeze.weight", f"{place}.excitation.excite.weight"]
    last = weights_of(f"{place}.shortcut", bias=False) if shortcut else []
    return [
        *weights_of(f"{place}.first", bias=False),
        *weights_of(f"{place}.second", bias=False),
        *excitation,
        *last,
    ]


LINEAR_HEAD = ["head.1.weight", "head.1.bias"]
LSTM = [
    f"backbone.recurrent.{kind}_{of}_l{layer}{way}"
    for layer in (0, 1)
    for way in ("", "_reverse")
    for kind in ("weight", "bias")
    for of in ("ih", "hh")
]
NAMES = {
    "strided_cnn": [
        *(name for number in range(5) for name in weights_of(f"backbone.blocks.{number}", bias=False)),
        *LINEAR_HEAD,
    ],
    "cnn1d": [
        *(name for layer in ("first", "second", "third") for name in weights_of(f"backbone.{layer}", bias=True)),
        *("head.0.weight", "head.0.bias", "head.3.weight", "head.3.bias"),
    ],
    "resnet1d": [
        *weights_of("backbone.stem", bias=False),
        *(name for number in range(4) for name in block(number, shortcut=True)),
        *LINEAR_HEAD,
    ],
    "resnet_lstm": [
        *weights_of("backbone.stem", bias=False),
        *(name for number in range(6) for name in block(number, shortcut=number in (0, 2, 4))),
        *LSTM,
        *("backbone.score.weight", "backbone.score.bias"),
        *LINEAR_HEAD,
    ],
}


@pytest.mark.parametrize("name", NAMES)
def test_weights_have_the_names_under_which_checkpoints_hold_them(name):
    """Renaming a layer would make every checkpoint and exported model there is unreadable."""
    assert set(NAMES[name]) == set(build_classifier(name, leads=12, classes=5).state_dict())


DRAWN = {"cnn1d": (-0.02852, 0.05838), "resnet1d": (0.04923, -0.03159), "resnet_lstm": (0.04923, 0.03155)}


@pytest.mark.parametrize(("name", "drawn"), DRAWN.items())
def test_equal_seeds_go_on_giving_the_weights_that_they_gave(name, drawn):
    """A fit that is begun again under a later version is the same fit: the order of drawing is kept."""
    torch.manual_seed(5)
    model = build_classifier(name, leads=12, classes=5, dropout=0.1)
    first = [next(half.parameters()).flatten()[0].item() for half in (model.backbone, model.head)]
    assert first == pytest.approx(drawn, abs=1e-5)


def test_a_single_record_as_the_last_batch_of_an_epoch_is_learnt_from():
    for name in MODELS:
        model = build_classifier(name, leads=12, classes=5).train()
        model(torch.randn(1, 12, 400), torch.tensor([400])).sum().backward()


def test_own_hyperparameters_reach_the_constructor():
    own = {"channels": 32, "kernel": 3, "width": 64}
    backbone = build_classifier("heartbeat_cnn", leads=1, classes=5, own=own).backbone
    assert backbone.second.convolution.weight.shape == (32, 32, 3)
    assert backbone.hidden.weight.shape == (64, 32)


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
    """The same records, padded by nothing and by 300 samples of garbage; in 64 bits, for sums in another order."""
    signals, lengths = torch.randn(6, 12, 500), torch.tensor([500, 333, 480, 500, 257, 401])
    padded = torch.cat([signals, torch.randn(6, 12, 300)], dim=2)

    first, second = (one_step(name, values, lengths) for values in (signals, padded))

    for key, value in first.items():
        assert torch.allclose(value, second[key], atol=1e-9), key


def one_step(name: str, signals: Tensor, lengths: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = build_classifier(name, leads=12, classes=5, own=OWN.get(name, {})).double().train()
    model(signals.double(), lengths).square().sum().backward()
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


def test_the_maximum_of_negative_values_does_not_see_the_zeros_behind_a_record():
    values = torch.tensor([[[-3.0, -1.0, -2.0, 0.0, 0.0]], [[-5.0, -4.0, -3.0, -2.0, -1.0]]])
    pooled = signed_max_pool(Sequences(values, torch.tensor([3, 5])), kernel=3, stride=2, padding=1)
    assert (pooled.values.tolist(), pooled.lengths.tolist()) == ([[[-1, -1, 0]], [[-4, -2, -1]]], [2, 3])


def test_a_record_too_short_is_refused_with_its_length():
    with pytest.raises(ValueError, match="at least 16 samples, got 9"):
        TRAINED["cnn1d"](torch.zeros(1, 12, 9), torch.tensor([9]))
