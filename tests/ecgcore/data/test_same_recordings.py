"""The same recordings in another order, unit or rate: a model must say the same of them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import Store, open_store
from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.ptbxl import ptbxl_source
from ecgcore.serving.ensemble import ensemble_of
from ecgcore.serving.prediction import predict_records
from tests.ecgcore.raw_files import noise, write_table, write_wfdb
from tests.ecgcore.tiny import TinyFit, run

PROBABILITY = 0.02  # how far apart two answers on one recording at 100 and at 500 Hz may be, see below


def own_store(folder: Path, *, order: list[int], gain: str = "1000/mV") -> Store:
    """Sixteen recordings of unequal lengths, written and listed in the order given; all in the open part."""
    rows = []
    for number in order:
        samples = noise(number, samples=150 + 10 * (number % 3)) * (1 + number % 2)
        write_wfdb(folder / "raw", f"r{number:02d}", samples, gain=gain)
        rows.append([f"r{number:02d}", f"p{number:02d}", ["calm", "wild"][number % 2]])
    write_table(folder / "raw", rows)
    prepare(
        own_source(folder / "raw"),
        folder / "store",
        StoreRequest(rule=SplitRule(folds=2, test_share=0), leads=("I", "II")),
    )
    return open_store(folder / "store")


def answers(checkpoint: Path, store: Store) -> dict[str, NDArray[np.float64]]:
    """Probabilities of every open record, by its name."""
    ensemble, _ = ensemble_of([checkpoint])
    return dict(zip(store.records.ids, predict_records(ensemble, store.records)[0], strict=True))


@pytest.mark.parametrize("normalise", ["none", "record", "train"])
def test_a_model_trained_on_one_order_of_records_says_the_same_on_another(normalise, tmp_path):
    first = own_store(tmp_path / "first", order=list(range(16)))
    second = own_store(tmp_path / "second", order=[*range(15, 0, -2), *range(0, 16, 2)])
    _, checkpoint = run(TinyFit(config={"normalise": normalise}, directory=tmp_path / "fit"), first)
    on_first, on_second = answers(checkpoint, first), answers(checkpoint, second)
    assert first.records.ids != second.records.ids
    assert set(on_first) == set(on_second)
    for name, probability in on_first.items():
        assert on_second[name] == pytest.approx(probability, abs=1e-6)


@pytest.mark.parametrize("normalise", ["none", "record", "train"])
@pytest.mark.parametrize("gain", ["1000000/V", "1/uV"])
def test_a_model_says_the_same_of_volts_millivolts_and_microvolts(normalise, gain, tmp_path):
    millivolts = own_store(tmp_path / "mV", order=list(range(16)))
    other = own_store(tmp_path / "other", order=list(range(16)), gain=gain)
    _, checkpoint = run(TinyFit(config={"normalise": normalise}, directory=tmp_path / "fit"), millivolts)
    first, second = answers(checkpoint, millivolts), answers(checkpoint, other)
    for name, probability in first.items():
        assert second[name] == pytest.approx(probability, abs=1e-5)


@pytest.mark.slow
def test_a_model_says_the_same_of_ptbxls_100_hz_and_500_hz_versions(recordings, tmp_path):
    """PTB-XL's own 100 Hz files were made from the 500 Hz ones by other filters than ours: the tolerance is theirs.

    Of the records that the model was not trained on, each probability within .02 on average over the records, the
    largest difference within five times that.
    """
    rule = SplitRule(train=tuple("123456"), validation=("7", "8"))
    stores = {}
    for rate in (100.0, 500.0):
        source = ptbxl_source(recordings / "ptbxl500", rate=rate)  # at 500 Hz 120 of the 434 are there
        prepare(source, tmp_path / f"{rate:g}", StoreRequest(rule=rule, rate=100.0, allow_refused=100))
        stores[rate] = open_store(tmp_path / f"{rate:g}")
    config = {"learning_rate": 3e-3, "averaging": 0.9}
    metrics, checkpoint = run(TinyFit(config=config, directory=tmp_path / "fit", max_steps=6), stores[100.0])
    low, high = (answers(checkpoint, store) for store in stores.values())
    shared = sorted(set(low) & set(high))
    difference = np.array([np.abs(low[name] - high[name]) for name in shared])
    spread = np.std([low[name] for name in shared], axis=0)
    assert len(shared) > 80
    assert metrics[-1]["macro_auc"] > 0.7
    assert (spread > 5 * PROBABILITY).all()  # the model tells records apart, far more than the tolerance
    assert difference.mean() < PROBABILITY
    assert difference.max() < 5 * PROBABILITY
