"""A model of a network that takes charts is asked as any other: recordings as recorded in, drawn on the way."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.drawing.charts import ChartForm
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.arithmetic import STANDARD_LEADS
from ecgcore.signals.processing import Processing
from ecgcore.task import ArrhythmiaTask
from ecgcore.training.checkpoints import read_tensors
from ecgcore.training.exported_start import read_weights
from tests.ecgcore.raw_files import write_table, write_wfdb
from tests.ecgcore.tiny import Heard, TinyFit, probabilities_in

RATE, SECONDS, RECORDS = 500, 4, 32
RECORDED = STANDARD_LEADS[::-1]  # the store has them in the standard order, at 100 Hz
PARTS = ("train", "train", "validation", "test")
FORM = ChartForm(("4x3", "2x6"), 64)
CHARTS = {"model": "mobilenet_v3_small", "train": "random_backbone", "learning_rate": 3e-2}


def microvolts(number: int) -> NDArray[np.int16]:
    """A wave of 2 or 7 Hz by class, with the hum of a power line: (12 leads, samples)."""
    random, time = np.random.default_rng(number), np.arange(RATE * SECONDS) / RATE
    wave = 800 * np.sin(2 * np.pi * (7 if number % 2 else 2) * time + random.uniform(0, 6))
    hum = 200 * np.sin(2 * np.pi * 50 * time)
    return np.rint(np.linspace(0.3, 1, 12)[:, None] * wave + hum + random.normal(0, 50, (12, len(time)))).astype("i2")


class Trained(NamedTuple):
    store: Path
    charts: Path  # the checkpoint of a network that takes charts
    signals: Path  # and of one that takes signals


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("charted")
    for number in range(RECORDS):
        write_wfdb(folder / "raw", f"r{number}", microvolts(number), leads=RECORDED, rate=str(RATE), gain="1/uV")
    rows = [[f"r{n}", f"p{n}", "quick" if n % 2 else "slow", PARTS[n // 2 % 4]] for n in range(RECORDS)]
    write_table(folder / "raw", rows, "record,patient,labels,fold")
    rule = SplitRule(train=("train",), validation=("validation",), test=("test",))
    filtered = Processing(band_pass=(0.5, 40.0), half=True)
    wish = StoreRequest(leads=STANDARD_LEADS, rate=100.0, rule=rule, processing=filtered, charts=FORM)
    prepare(own_source(folder / "raw"), folder / "store", wish)
    checkpoints = []
    for name, config in (("charts", CHARTS), ("signals", {"learning_rate": 3e-3})):
        task, heard = ArrhythmiaTask(data=folder / "store"), Heard()
        task.fit(TinyFit(config=config, directory=folder / name, final=True, max_steps=3), heard)
        checkpoints.append(folder / name / str(heard.checkpoints[-1]))
    return Trained(folder / "store", *checkpoints)


@pytest.mark.parametrize("members", ["charts", "charts and signals", "signals and charts"])
def test_raw_recordings_are_answered_as_the_tested_charts_are(trained: Trained, tmp_path: Path, members: str) -> None:
    """An average may have members of both kinds."""
    task, paths = ArrhythmiaTask(data=trained.store), [getattr(trained, kind) for kind in members.split(" and ")]
    task.test(paths, tmp_path)
    task.export(paths, tmp_path / "model")
    with (tmp_path / "predictions.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    tested = np.array([[float(row[f"probability_{name}"]) for name in ("quick", "slow")] for row in found])
    signals = np.stack([microvolts(int(row["record"].removeprefix("r"))) for row in found]).astype(np.float32)

    answers = ArrhythmiaTask.load(tmp_path / "model")(signals, leads=RECORDED, sampling_rate=RATE, unit="uV")

    assert probabilities_in(answers) == pytest.approx(tested, abs=1e-5 if members == "charts" else 1e-3)
    assert [row["decision"] for row in found] == answers["decision"].tolist()
    assert np.ptp(tested[:, 0]) > 0.05, "answers that are all alike would prove nothing"


def test_each_member_of_an_average_of_both_kinds_is_a_start_for_its_own(trained: Trained, tmp_path: Path) -> None:
    task = ArrhythmiaTask(data=trained.store)
    task.export([trained.charts, trained.signals], tmp_path / "model")
    content = read_tensors(tmp_path / "model" / "model.pt")
    charts, signals = (read_weights(tmp_path / "model", seed=seed) for seed in (0, 1))
    assert content["processing"] == charts.processing == {"charts": FORM.described(), "band_pass": [0.5, 40.0]}
    assert {"band_pass": [0.5, 40.0]} == signals.processing


def test_a_store_of_other_charts_or_none_is_no_test_of_the_model(trained: Trained, tmp_path: Path) -> None:
    for form, refused in (
        (None, r"checkpoint-000003.pt takes charts, and .*bare has none; add `charts: {layouts: \[4x3\]}`"),
        (ChartForm(("4x3",), 64), "must have the classes, leads, rate and processing of"),
    ):
        rule = SplitRule(train=("train",), validation=("validation",), test=("test",))
        processing = Processing(band_pass=(0.5, 40.0), half=True)
        wish = StoreRequest(leads=STANDARD_LEADS, rate=100.0, rule=rule, processing=processing, charts=form)
        folder = tmp_path / ("other" if form else "bare")
        prepare(own_source(trained.store.parent / "raw"), folder, wish)
        with pytest.raises(ValueError, match=refused):
            ArrhythmiaTask(data=folder).test([trained.charts], tmp_path)
