"""What is served: recordings as they were recorded, whatever was done to those that the store was prepared from."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.processing import Processing, filtered, scaled
from ecgcore.task import ArrhythmiaTask
from ecgcore.training.checkpoints import read_tensors, write_tensors
from tests.ecgcore.raw_files import write_table, write_wfdb
from tests.ecgcore.tiny import Heard, TinyFit, probabilities_in

RATE, SECONDS = 500, 4
RECORDED = ("V1", "II", "I")  # the store has I, II
PARTS = ("train", "train", "validation", "test")
FILTERED = Processing(band_pass=(0.5, 40.0), notch=50.0)
CLASSES = ("quick", "slow")


@dataclass(frozen=True)
class Final:
    """A model that was tested and exported, and what its test says."""

    model: Path
    names: list[str]
    probabilities: NDArray[np.float64]  # (records, classes) of predictions.csv
    decisions: list[str]

    def answers(self, *, leads: Sequence[str] = RECORDED, **options: Any) -> dict[str, Any]:
        """Ask of the tested recordings as they were recorded."""
        rows = [RECORDED.index(lead) for lead in leads]
        signals = np.stack([microvolts(int(name.removeprefix("r")))[rows] for name in self.names])
        if options.get("unit") == "mV":
            signals = signals / 1000
        return ArrhythmiaTask.load(self.model)(signals.astype(np.float32), leads=leads, **options)  # type: ignore[return-value]


def microvolts(number: int) -> NDArray[np.int16]:
    """A wave of 2 or 7 Hz by class, wandering, with the hum of a power line: (3 leads, samples)."""
    random, time = np.random.default_rng(number), np.arange(RATE * SECONDS) / RATE
    wave = 800 * np.sin(2 * np.pi * (7 if number % 2 else 2) * time + random.uniform(0, 6))
    hum, drift = 200 * np.sin(2 * np.pi * 50 * time), 3000 * np.sin(2 * np.pi * 0.05 * time)
    return np.rint(np.array([[0.3], [1.0], [-0.6]]) * wave + hum + drift + random.normal(0, 50, (3, len(time)))).astype(
        np.int16
    )


@pytest.fixture(scope="module", params=[FILTERED, replace(FILTERED, normalise="record")], ids=["mV", "normalised"])
def tested(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Final:
    folder = tmp_path_factory.mktemp("served")
    for number in range(48):
        write_wfdb(folder / "raw", f"r{number}", microvolts(number), leads=RECORDED, rate=str(RATE), gain="1/uV")
    rows = [[f"r{n}", f"p{n}", "quick" if n % 2 else "slow", PARTS[n // 2 % 4]] for n in range(48)]
    write_table(folder / "raw", rows, "record,patient,labels,fold")
    rule = SplitRule(train=("train",), validation=("validation",), test=("test",))
    wish = StoreRequest(leads=("I", "II"), rate=100.0, rule=rule, processing=request.param)
    prepare(own_source(folder / "raw"), folder / "store", wish)
    task, heard = ArrhythmiaTask(data=folder / "store"), Heard()
    task.fit(TinyFit(config={"learning_rate": 3e-3}, directory=folder / "fit", final=True, max_steps=3), heard)
    checkpoint = folder / "fit" / str(heard.checkpoints[-1])
    task.test([checkpoint], folder / "final")
    task.export([checkpoint], folder / "model")
    with (folder / "final" / "predictions.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    return Final(
        model=folder / "model",
        names=[row["record"] for row in found],
        probabilities=np.array([[float(row[f"probability_{name}"]) for name in CLASSES] for row in found]),
        decisions=[row["decision"] for row in found],
    )


@pytest.mark.parametrize(
    ("leads", "unit"), [(RECORDED, "uV"), (("I", "II"), "uV"), (("II", "V1", "I"), "mV"), (("ii", "i"), "mV")]
)
def test_recordings_at_500_hz_in_any_order_and_unit_are_answered_as_the_store_of_100_hz_is(
    tested: Final, leads: tuple[str, ...], unit: str
) -> None:
    """To 5e-6: predictions.csv has 6 decimals, and the order of float32 operations differs by as much."""
    named = [lead if lead in RECORDED else lead.upper() for lead in leads]
    answers = tested.answers(leads=named, sampling_rate=RATE, unit=unit)

    assert probabilities_in(answers) == pytest.approx(tested.probabilities, abs=5e-6)
    assert tested.decisions == answers["decision"].tolist()
    assert np.ptp(tested.probabilities[:, 0]) > 0.05, "answers that are all alike would prove nothing"


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"leads": ("II", "V1")}, "missing: I; the record has II, V1 (name the rows of the signals with `leads`)"),
        ({"sampling_rate": 1000}, "from recordings of 4 to 4 s, and 2000 samples at 1000 Hz are 2 s: say their"),
        ({"sampling_rate": None}, "from recordings of 4 to 4 s, and 2000 samples at 100 Hz are 20 s: say their"),
        ({"sampling_rate": 0}, "sampling_rate must be above 0 Hz, got 0"),
        ({"sampling_rate": float("nan")}, "sampling_rate must be above 0 Hz, got nan"),
        ({"unit": "nV"}, "the unit must be mV, uV or V, but got 'nV'"),
    ],
)
def test_a_wrong_rate_a_missing_lead_and_an_unknown_unit_are_refused_in_one_sentence(
    tested: Final, wrong: dict[str, Any], refused: str
) -> None:
    with pytest.raises(ValueError, match=r".*") as error:
        tested.answers(**{"sampling_rate": RATE, "unit": "uV", **wrong})
    assert refused in str(error.value)
    assert "\n" not in str(error.value)


def test_signals_of_another_shape_or_with_gaps_are_refused(tested: Final) -> None:
    predict = ArrhythmiaTask.load(tested.model)
    with pytest.raises(ValueError, match=r"\(recordings, 2 leads: I II, samples\), got \(1, 12, 50\); name the rows"):
        predict(np.zeros((1, 12, 50)))
    with pytest.raises(ValueError, match="got NaN or infinity"):
        predict(np.full((1, 2, 50), np.nan))
    with pytest.raises(ValueError, match="must have samples, got none"):
        predict(np.zeros((1, 2, 0)))
    with pytest.raises(
        ValueError, match=r"sampling_rate 100 Hz, 400 samples: a notch must lie .* 50 Hz, but got 50 Hz"
    ):
        predict(np.zeros((1, 2, 400)))


def test_a_model_of_an_earlier_version_answers_as_it_did(tested: Final, tmp_path: Path) -> None:
    """It is given signals as their store has them, and answers with an array of probabilities."""
    content = read_tensors(tested.model / "model.pt")
    del content["processes"]
    write_tensors(tmp_path / "model.pt", content)
    processing = Processing.of(content["processing"])
    raw = [(microvolts(int(name[1:]))[[2, 1]] / 1000).astype(np.float32) for name in tested.names]
    as_stored = np.stack([scaled(filtered(one, processing, rate=RATE, to=100.0), processing) for one in raw])

    answers = ArrhythmiaTask.load(tmp_path)(as_stored)

    assert isinstance(answers, np.ndarray)
    assert answers.dtype == np.float32
    assert answers == pytest.approx(tested.probabilities, abs=5e-6)
    with pytest.raises(ValueError, match=r"\(batch, 2 leads: I II, samples\), in mV at 100 Hz, got \(1, 12, 50\)"):
        ArrhythmiaTask.load(tmp_path)(np.zeros((1, 12, 50)))


def test_no_example_is_left_that_the_model_would_refuse(tested: Final) -> None:
    """A notch of 50 Hz cannot run at the store's 100 Hz, though it did at the recordings' 500."""
    assert not (tested.model / "input_example.npy").exists()
