"""What a network costs, against counts by hand."""

import pytest

from ecgcore.models.registry import places
from ecgcore.models.size import size_of


def test_multiply_adds_of_convolutions_and_products_are_counted_once_each():
    """cnn1d on 12 leads of 1000 samples: three convolutions on 500, 250 and 125 samples, two layers of the head."""
    by_hand = 500 * 12 * 32 * 7 + 250 * 32 * 64 * 5 + 125 * 64 * 128 * 3 + 128 * 64 + 64 * 5
    size = size_of("cnn1d", leads=12, classes=5)
    assert (46_757, by_hand) == (size.weights, size.multiply_adds)


def test_an_lstm_is_counted_by_its_products():
    """resnet_lstm on 1000 samples: 334 after the stem, 167 after its pool, 84 and 42 after the blocks' strides."""
    stem = 334 * 12 * 32 * 15
    blocks = 167 * (7 * 32 * 64 + 32 * 64 + 3 * 7 * 64 * 64)
    blocks += 84 * (7 * 64 * 128 + 64 * 128 + 3 * 7 * 128 * 128)
    blocks += 42 * (7 * 128 * 256 + 128 * 256 + 3 * 7 * 256 * 256)
    excitations = 2 * sum(2 * channels * channels // 16 for channels in (64, 128, 256))
    lstm = 42 * 2 * 2 * 4 * 128 * (256 + 128)  # steps, layers, ways, gates, hidden, inputs and hidden
    attention, head = 42 * (256 + 256), 256 * 5
    by_hand = stem + blocks + excitations + lstm + attention + head

    assert by_hand == size_of("resnet_lstm", leads=12, classes=5).multiply_adds


def test_a_network_that_takes_charts_is_counted_on_one_of_224_pixels():
    """resnet18: its stem on 112 x 112 pixels, two convolutions of 3 x 3 in each of eight blocks, three shortcuts."""
    by_hand = 112**2 * 3 * 64 * 49
    for side, width in ((56, 64), (28, 128), (14, 256), (7, 512)):
        by_hand += side**2 * 4 * width * width * 9
        if width > 64:
            by_hand -= side**2 * width * width // 2 * 9  # the first of them has half as many inputs
            by_hand += side**2 * width * width // 2
    assert by_hand + 512 * 5 == size_of("resnet18", leads=12, classes=5).multiply_adds


@pytest.mark.parametrize("name", places())
def test_every_network_can_be_counted(name):
    assert size_of(name, leads=12, classes=5).multiply_adds > 1e6


def test_a_place_that_is_no_network_is_refused():
    with pytest.raises(ValueError, match=r"must be one of .*, cnn1d, "):
        size_of("nothing", leads=12, classes=5)
