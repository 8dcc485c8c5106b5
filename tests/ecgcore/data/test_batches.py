import numpy as np
import pytest
import torch

from ecgcore.data.batches import by_length, gather
from ecgcore.training.sampling import balancing_weights, batched, drawn
from tests.ecgcore.tiny import tiny_records

RECORDS = tiny_records(7, seed=1, multilabel=False, lengths=(60, 41, 53))


def test_records_are_padded_with_zeros_to_the_longest():
    batch = gather(RECORDS, np.array([1, 0]))
    assert batch.lengths.tolist() == [41, 60]
    assert batch.signals.shape == (2, 2, 60)
    assert torch.equal(batch.signals[0, :, :41], torch.tensor(RECORDS.signal(1)))
    assert not batch.signals[0, :, 41:].any()


def test_a_window_is_shorter_than_the_record_and_begins_where_told():
    batch = gather(RECORDS, np.array([0, 1]), starts=np.array([5, 0]), lengths=np.array([50, 31]))
    assert batch.lengths.tolist() == [50, 31]
    assert np.array_equal(batch.signals[0], RECORDS.signal(0)[:, 5:55])
    assert np.array_equal(batch.signals[1, :, :31], RECORDS.signal(1)[:, :31])


def test_every_record_is_met_once_in_batches_of_nearly_equal_size():
    indices = np.arange(100, 133)
    batches = batched(drawn(indices, weights=None), size=16)
    assert [len(batch) for batch in batches] == [11, 11, 11]
    assert sorted(np.concatenate(batches).tolist()) == indices.tolist()
    assert np.concatenate(batches).tolist() != indices.tolist()


def test_the_order_follows_from_the_seed():
    orders = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        orders.append(drawn(np.arange(50), weights=None).tolist())
    assert orders[0] == orders[1] != orders[2]


def test_evaluation_goes_by_length_and_forgets_nobody():
    indices = np.array([6, 5, 4, 3])
    positions = np.concatenate(list(by_length(RECORDS, indices)))
    assert sorted(positions.tolist()) == [0, 1, 2, 3]
    assert RECORDS.lengths[indices[positions]].tolist() == sorted(RECORDS.lengths[indices])


def test_batches_of_similar_lengths_hold_the_same_records_with_less_padding():
    torch.manual_seed(0)
    lengths = np.random.default_rng(0).integers(100, 1000, 256)

    def padding(batches):
        return sum(int(lengths[batch].max() * len(batch) - lengths[batch].sum()) for batch in batches)

    order = drawn(np.arange(256), weights=None)
    plain, similar = batched(order, size=16), batched(order, size=16, lengths=lengths[order])
    assert sorted(np.concatenate(similar).tolist()) == list(range(256))
    assert padding(similar) < padding(plain) / 4
    shortest = [int(lengths[batch].min()) for batch in similar]
    assert shortest != sorted(shortest)  # the short ones do not all come first


def test_balanced_sampling_draws_each_class_as_often():
    torch.manual_seed(0)
    labels = np.eye(3, dtype=np.float32)[np.repeat([0, 1, 2], [900, 90, 10])]
    chosen = drawn(np.arange(1000), weights=balancing_weights(labels))
    assert labels[chosen].mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.05)


def test_with_several_labels_the_rarest_decides_and_no_label_is_a_class():
    labels = np.array([[1, 0], [1, 1], [1, 0], [0, 0], [0, 0]], np.float32)
    assert balancing_weights(labels).tolist() == pytest.approx([1 / 3, 1, 1 / 3, 1 / 2, 1 / 2])
