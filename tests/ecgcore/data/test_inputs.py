"""What a network is given: signals, or the charts of the very same records in their place."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgcore.data.batches import gather
from ecgcore.data.inputs import store_for
from ecgcore.drawing.charts import ChartForm
from tests.ecgcore.tiny import tiny_store, with_charts

FORM = ChartForm(("4x3", "2x6"), 64)
PLAIN = tiny_store(records=6, lengths=(100, 61))
STORE = with_charts(PLAIN, FORM)
ROWS = 2 * 3 * 64


def drawn(index: int) -> np.ndarray:
    assert STORE.records.charts is not None
    return STORE.records.charts.reshape(6, ROWS, 64)[index]


def test_a_network_of_signals_is_given_the_store_as_it_is() -> None:
    assert store_for(STORE, "signals", network="cnn1d") is STORE


def test_a_records_charts_take_the_place_of_its_signal_whichever_records_are_left() -> None:
    given = store_for(STORE, "charts", network="resnet18")

    assert (64, ROWS) == (given.records.lengths[0], given.records.leads)
    for index in range(6):
        assert np.array_equal(drawn(index), given.records.signal(index))
    chosen = np.array([4, 1])
    fewer = replace(STORE, records=STORE.records.only(chosen))
    for some in (given.records.only(chosen), store_for(fewer, "charts", network="resnet18").records):
        assert ("r1-4", "r1-1") == some.ids
        assert np.array_equal(drawn(4), some.signal(0))
        assert np.array_equal(drawn(1), some.signal(1))


def test_who_they_are_stays_and_the_processing_says_what_they_were_given() -> None:
    given = store_for(STORE, "charts", network="resnet18")

    assert np.array_equal(PLAIN.records.fingerprints, given.records.fingerprints)
    assert {"charts": {"layouts": ["4x3", "2x6"], "pixels": 64}} == given.processing
    assert {} == STORE.processing


def test_a_batch_of_charts_is_bytes() -> None:
    batch = gather(store_for(STORE, "charts", network="resnet18").records, np.array([2, 0]))

    assert (torch.uint8, (2, ROWS, 64), [64, 64]) == (batch.signals.dtype, batch.signals.shape, batch.lengths.tolist())
    assert np.array_equal(drawn(2), batch.signals[0].numpy())


def test_a_store_without_charts_is_refused_with_what_its_recipe_must_say() -> None:
    with pytest.raises(
        ValueError, match=r"^resnet18 takes charts, and tiny has none; add `charts: {layouts: \[4x3\]}`"
    ):
        store_for(PLAIN, "charts", network="resnet18")
