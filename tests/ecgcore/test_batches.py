import numpy as np
import torch

from ecgcore.batches import by_length, gather, shuffled
from tests.ecgcore.tiny import tiny_records

RECORDS = tiny_records(7, seed=1, multilabel=False, lengths=(60, 41, 53))


def test_records_are_padded_with_zeros_to_the_longest():
    batch = gather(RECORDS, np.array([1, 0]))
    assert batch.lengths.tolist() == [41, 60]
    assert batch.signals.shape == (2, 2, 60)
    assert torch.equal(batch.signals[0, :, :41], torch.tensor(RECORDS.signal(1)))
    assert not batch.signals[0, :, 41:].any()


def test_a_window_is_shorter_than_the_record_and_begins_where_told():
    batch = gather(RECORDS, np.array([0, 1]), starts=np.array([5, 0]), shorter=10)
    assert batch.lengths.tolist() == [50, 31]
    assert np.array_equal(batch.signals[0], RECORDS.signal(0)[:, 5:55])
    assert np.array_equal(batch.signals[1, :, :31], RECORDS.signal(1)[:, :31])


def test_every_record_is_met_once_in_batches_of_nearly_equal_size():
    indices = np.arange(100, 133)
    batches = shuffled(indices, size=16)
    assert [len(batch) for batch in batches] == [11, 11, 11]
    assert sorted(np.concatenate(batches).tolist()) == indices.tolist()
    assert np.concatenate(batches).tolist() != indices.tolist()


def test_the_order_follows_from_the_seed():
    orders = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        orders.append(np.concatenate(shuffled(np.arange(50), size=8)).tolist())
    assert orders[0] == orders[1] != orders[2]


def test_evaluation_goes_by_length_and_forgets_nobody():
    indices = np.array([6, 5, 4, 3])
    positions = np.concatenate(list(by_length(RECORDS, indices)))
    assert sorted(positions.tolist()) == [0, 1, 2, 3]
    assert RECORDS.lengths[indices[positions]].tolist() == sorted(RECORDS.lengths[indices])
