"""A tested model on another store: recordings in other leads, rates and words are answered alike, or refused."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.mistakes import Mistake
from ecgcore.readers.class_map import NO_CLASS
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.processing import UNCHANGED, Processing
from ecgcore.task import ArrhythmiaTask
from tests.ecgcore.raw_files import write_table, write_wfdb
from tests.ecgcore.serving.test_exported import RATE, RECORDED, microvolts
from tests.ecgcore.tiny import Heard, TinyFit

FILTERED = Processing(band_pass=(0.5, 40.0), normalise="record")
PARTS = ("train", "train", "validation", "test")
NAMES = {"quick": "rapid", "slow": "lento"}


def store_of(
    folder: Path,
    numbers: Sequence[int],
    *,
    leads: Sequence[str] = ("I", "II"),
    rate: float = 100.0,
    processing: Processing = UNCHANGED,
    names: Mapping[str, str] | None = None,
    parts: Sequence[str] = PARTS,
    sealed: bool = True,
    paced_from: int = 1000,
) -> Path:
    """Prepare recordings that each number stands for, in `parts` by turns; the last of them are of a third class."""
    for number in numbers:
        write_wfdb(folder / "raw", f"r{number}", microvolts(number), leads=RECORDED, rate=str(RATE), gain="1/uV")
    named = [(f"r{n}", f"p{n}", "quick" if n % 2 else "slow", parts[n // 2 % 4]) for n in numbers]
    known = names or {}
    rows = [
        [name, patient, known.get(label, label) if int(name[1:]) < paced_from else "paced", part]
        for name, patient, label, part in named
    ]
    write_table(folder / "raw", rows, "record,patient,labels,fold")
    rule = SplitRule(train=("train",), validation=("validation",), test=("test",) if sealed else ())
    prepare(
        own_source(folder / "raw"),
        folder / "store",
        StoreRequest(leads=tuple(leads), rate=rate, rule=rule, processing=processing),
    )
    return folder / "store"


class Home:
    """A model, its store, and what its own test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = store_of(folder / "home", range(48), processing=FILTERED)
        task, heard = ArrhythmiaTask(data=self.store), Heard()
        task.fit(TinyFit(config={"learning_rate": 3e-3}, directory=folder / "fit", final=True, max_steps=3), heard)
        checkpoint = [folder / "fit" / str(heard.checkpoints[-1])]
        self.final, self.model = folder / "final", folder / "model"
        self.metrics = task.test(checkpoint, self.final)
        task.export(checkpoint, self.model)

    def tested_on(self, store: Path, out: Path, *, part: str = "all", labels: Path | None = None) -> Any:
        out.mkdir()
        return ArrhythmiaTask(data=store).test_model(self.model, out, part, labels, self.final)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("elsewhere"))


def answers(folder: Path) -> dict[str, float]:
    with (folder / "predictions.csv").open(newline="") as file:
        return {row["record"]: float(row["probability_quick"]) for row in csv.DictReader(file)}


TESTED = [number for number in range(48) if PARTS[number // 2 % 4] == "test"]
BESIDE = [*TESTED, *range(100, 116)]  # others fill the open parts of a store


@pytest.mark.parametrize(
    "other",
    [
        {"leads": RECORDED, "rate": float(RATE)},
        {"leads": ("II", "I"), "processing": Processing(band_pass=(0.5, 40.0), normalise="record")},
        {"leads": ("II", "I", "V1"), "rate": 500.0, "processing": FILTERED},
    ],
    ids=["unprocessed", "alike", "alike at another rate, of more leads"],
)
def test_the_same_recordings_are_answered_as_in_the_models_own_store(
    home: Home, tmp_path: Path, other: dict[str, Any]
) -> None:
    store = store_of(tmp_path, BESIDE, names=NAMES, **other)
    labels = tmp_path / "map.csv"
    labels.write_text("theirs,ours\nrapid,quick\nlento,slow\n")
    tested = home.tested_on(store, tmp_path / "out", labels=labels)
    own, there = answers(home.final), answers(tmp_path / "out")
    assert {f"r{number}" for number in TESTED} == own.keys()
    assert {f"r{number}" for number in BESIDE} == there.keys()
    assert [there[name] for name in own] == pytest.approx(list(own.values()), abs=2e-3 if len(other) == 3 else 5e-6)
    assert np.ptp(list(own.values())) > 0.05, "answers that are all alike would prove nothing"
    assert {"rapid": "quick", "lento": "slow"} == tested.facts["classes"]


def test_its_own_test_is_scored_again_as_it_was(home: Home, tmp_path: Path) -> None:
    own = home.tested_on(store_of(tmp_path, range(100, 132)), tmp_path / "out").own
    for name in (
        "macro_auc",
        "macro_f1",
        "macro_auc_low",
        "macro_f1_high",
        "auc_quick",
        "accuracy",
        "log_loss",
        "records",
    ):
        assert home.metrics[name] == pytest.approx(own[name], abs=1e-4), name


def test_with_one_class_nothing_can_be_scored(home: Home, tmp_path: Path) -> None:
    labels = tmp_path / "map.csv"
    labels.write_text("theirs,ours\nslow,\n")
    with pytest.raises(Mistake, match="no class has both records with it and records without it"):
        home.tested_on(store_of(tmp_path, range(100, 132)), tmp_path / "out", labels=labels)


def test_records_of_no_class_of_the_models_are_left_out_counted_and_said(home: Home, tmp_path: Path) -> None:
    tested = home.tested_on(store_of(tmp_path, range(100, 132), paced_from=120), tmp_path / "out")
    assert 20 == tested.metrics["records"] == len(answers(tmp_path / "out"))
    assert {NO_CLASS: 12} == tested.facts["left_out"]
    assert f"left out: 12 records {NO_CLASS}: paced (12)" in tested.said
    assert "of no known class: paced" in tested.said


def test_the_sealed_part_alone_and_the_open_one_alone_can_be_tested(home: Home, tmp_path: Path) -> None:
    store = store_of(tmp_path, range(100, 132))
    task = ArrhythmiaTask(data=store)
    sealed = [f"r{number}" for number in range(100, 132) if PARTS[number // 2 % 4] == "test"]
    assert (True, True, False) == tuple(
        task.foresee(home.model, part, None).opens for part in ("all", "sealed", "open")
    )
    home.tested_on(store, tmp_path / "sealed-out", part="sealed")
    assert sealed == list(answers(tmp_path / "sealed-out"))
    for file in (store / "sealed").iterdir():
        file.unlink()
    home.tested_on(store, tmp_path / "open-out", part="open")
    assert not answers(tmp_path / "open-out").keys() & set(sealed)
    assert 24 == len(answers(tmp_path / "open-out"))


def test_of_a_store_without_a_sealed_part_all_records_are_tested_and_nothing_is_opened(
    home: Home, tmp_path: Path
) -> None:
    store = store_of(tmp_path, range(100, 132), parts=("train", "train", "validation", "validation"), sealed=False)
    assert not ArrhythmiaTask(data=store).foresee(home.model, "all", None).opens
    assert 32 == home.tested_on(store, tmp_path / "out").metrics["records"]
    with pytest.raises(Mistake, match="nothing of it is sealed; test all of its records: leave --part out"):
        ArrhythmiaTask(data=store).foresee(home.model, "sealed", None)


def test_a_model_is_not_tested_on_what_it_was_trained_on_even_where_the_store_has_it_unprocessed(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(Mistake, match=r"must not be tested on what it was trained on.* 36 of these records: r0; r1"):
        ArrhythmiaTask(data=home.store).foresee(home.model, "all", None)
    raw = store_of(tmp_path, range(40, 64), leads=RECORDED, rate=float(RATE))
    with pytest.raises(Mistake, match=r"trained on, and .* of these records: r40"):
        home.tested_on(raw, tmp_path / "out")


def test_all_that_keeps_a_store_and_a_model_apart_is_told_at_once(home: Home, tmp_path: Path) -> None:
    store = store_of(
        tmp_path,
        range(100, 132),
        leads=("II", "V1"),
        rate=50.0,
        names=NAMES,
        processing=Processing(band_pass=(1.0, 20.0)),
    )
    with pytest.raises(Mistake) as told:
        ArrhythmiaTask(data=store).foresee(home.model, "all", None)
    for rule in (
        "some class must be one of the model's, quick, slow; the other store has lento, rapid",
        "missing: I; the record has II, V1 (prepare the store with all its leads: leave `leads` out)",
        "which cannot be undone; prepare the store without that",
    ):
        assert rule in str(told.value)


def test_a_store_of_too_low_a_rate_for_the_models_filters_is_refused(home: Home, tmp_path: Path) -> None:
    store = store_of(tmp_path, range(100, 132), rate=50.0)
    with pytest.raises(
        Mistake, match="the model's band_pass needs a rate above 80 Hz, got 50 Hz; prepare the store at"
    ):
        ArrhythmiaTask(data=store).foresee(home.model, "all", None)
