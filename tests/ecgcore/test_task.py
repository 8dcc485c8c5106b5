"""The task as a search sees it: a prepared store on disk, through every stage to the opened test part."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.ptbxl import ptbxl_source
from ecgcore.readers.record import Recording, write_record
from ecgcore.serving import exported
from ecgcore.task import ArrhythmiaTask
from ecgcore.training.checkpoints import read_checkpoint
from tests.ecgcore.tiny import CLASSES, LEADS, RATE, Heard, TinyFit, probabilities_in, tiny_records

PARTS = ("train",) * 4 + ("validation",) * 2 + ("test",) * 4  # of ten patients of two records each


def written_store(folder: Path, *, seed: int, records: int = 60, informative: bool = True) -> Path:
    """Write WFDB files and a table, and prepare them: train, validation and sealed test part by patient."""
    source = folder / f"source{seed}"
    source.mkdir(parents=True)
    found = tiny_records(records, seed=seed, multilabel=True, informative=informative)
    rows = []
    for index, (name, patient, row) in enumerate(zip(found.ids, found.patients, found.labels, strict=True)):
        labels = tuple(name for name, label in zip(CLASSES, row, strict=True) if label)
        signal = found.signal(index)
        write_record(
            source, Recording(name=name, patient=patient, labels=labels, signal=signal, rate=RATE, leads=LEADS)
        )
        rows.append([name, patient, ";".join(labels), PARTS[index // 2 % 10]])
    with (source / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["record", "patient", "labels", "fold"], *rows])
    request = StoreRequest(leads=LEADS, rule=SplitRule(train=("train",), validation=("validation",), test=("test",)))
    prepare(own_source(source), folder / f"store{seed}", request)
    return folder / f"store{seed}"


def run_stages(
    store: Path, source: Path, directory: Path, *, steps: int = 2, outer: str | None = None
) -> tuple[ArrhythmiaTask, list[Path], list[Path]]:
    """Pretrain on `source`; head, full and two finals on `store`. Return the task, the finals, and what was judged."""
    task = ArrhythmiaTask(data=store, outer=outer)
    pretrained = _fit(
        ArrhythmiaTask(data=source), TinyFit(config={}, directory=directory / "pretrain", max_steps=steps)
    )
    head = TinyFit(config={"train": "head"}, directory=directory / "head", max_steps=steps, start_from=pretrained)
    full = TinyFit(config={}, directory=directory / "full", max_steps=steps, start_from=_fit(task, head))
    winner = _fit(task, full)
    finals = [replace(full, directory=directory / f"final{seed}", seed=seed, final=True) for seed in (1, 2)]
    return task, [_fit(task, fit) for fit in finals], [winner]


def _fit(task: ArrhythmiaTask, fit: TinyFit) -> Path:
    heard = Heard()
    task.fit(fit, heard)
    return fit.directory / str(heard.checkpoints[-1])


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("stores")
    return written_store(folder, seed=1), written_store(folder, seed=2)


def test_it_describes_its_data(stores):
    described = ArrhythmiaTask(data=stores[0]).describe()
    assert described["folds"] == 1
    assert described["classes"] == "quick,rapid,slow"
    assert (described["leads"], described["rate"], described["multilabel"]) == ("I,II", 50.0, True)
    assert (described["records"], described["patients"]) == (36, 18)
    assert described["test_over_train"] == 0.5  # 12 validation records beside 24
    assert "outer" not in described


def test_from_pretraining_to_the_test(stores, tmp_path):
    """The test's averaged predictions, its table and the exported model are one and the same."""
    task, finals, judged = run_stages(stores[0], stores[1], tmp_path)
    values = task.test(finals, tmp_path / "final", judged)
    signature = task.export(finals, tmp_path / "final" / "model", judged)

    assert 0 <= values["macro_auc_low"] <= values["macro_auc"] <= values["macro_auc_high"] <= 1
    assert (values["records"], values["patients"]) == (24, 12)
    with (tmp_path / "final" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sealed = tiny_records(60, seed=1, multilabel=True)
    # what was stored is what WFDB keeps of a signal: steps of 1/1000 mV
    signals = np.stack([sealed.signal(sealed.ids.index(row["record"])) for row in rows])
    signals = (np.rint(signals.astype(np.float64) * 1000) / 1000).astype(np.float32)
    served = ArrhythmiaTask.load(tmp_path / "final" / "model")(signals)
    tested = [[float(row[f"probability_{name}"]) for name in ("quick", "rapid", "slow")] for row in rows]
    assert probabilities_in(served) == pytest.approx(np.array(tested), abs=2e-6)
    assert [row["decision"] for row in rows] == served["decision"].tolist()
    assert signature["classes"] == "quick,rapid,slow"
    thresholds = [float(value) for value in str(signature["thresholds"]).split(",")]
    assert thresholds == pytest.approx([values[f"threshold_{name}"] for name in ("quick", "rapid", "slow")], abs=1e-12)
    assert [row["decision"].split(";") if row["decision"] else [] for row in rows] == [
        [name for name, value, at in zip(("quick", "rapid", "slow"), row, thresholds, strict=True) if value >= at]
        for row in tested
    ]


def test_beside_an_exported_model_lies_an_open_record_unless_that_is_long(stores, tmp_path, monkeypatch):
    task, finals, _judged = run_stages(stores[0], stores[1], tmp_path)
    task.export(finals, tmp_path / "model")
    example = np.load(tmp_path / "model" / "input_example.npy", allow_pickle=False)
    records = open_store(stores[0]).records
    assert example.dtype == np.float32
    assert any(np.array_equal(example[0], records.signal(index)) for index in range(len(records)))
    assert 1 == len(ArrhythmiaTask.load(tmp_path / "model")(example)["decision"])

    monkeypatch.setattr(exported, "MOST_VALUES", example.size - 1)
    task.export(finals, tmp_path / "long")
    assert not (tmp_path / "long" / "input_example.npy").exists()


def test_what_is_sealed_changes_no_bit_of_any_stage(stores, tmp_path):
    """Everything but `test` works with sealed/ removed, and ends with the same weights and thresholds."""
    bare = tmp_path / "bare"
    shutil.copytree(stores[0], bare, ignore=shutil.ignore_patterns("sealed"))
    whole, with_it, judged = run_stages(stores[0], stores[1], tmp_path / "with", steps=1)
    task, without, judged_without = run_stages(bare, stores[1], tmp_path / "without", steps=1)

    for first, second in zip(map(read_checkpoint, with_it), map(read_checkpoint, without), strict=True):
        assert all(np.array_equal(value, second.weights[name]) for name, value in first.weights.items())
    signature = task.export(without, tmp_path / "model", judged_without)
    assert signature == whole.export(with_it, tmp_path / "model with", judged)
    with pytest.raises(ValueError, match="sealed"):
        task.test(without, tmp_path / "final", judged_without)
    assert not (tmp_path / "final" / "predictions.csv").exists()


def test_labels_that_only_the_sealed_part_has_score_chance(tmp_path):
    """Signals of noise: what is known of a record is its label, and only the test part says it of its records."""
    store = written_store(tmp_path, seed=3, records=200, informative=False)
    task, finals, judged = run_stages(store, written_store(tmp_path, seed=4), tmp_path)
    assert 0.35 < task.test(finals, tmp_path, judged)["macro_auc"] < 0.65


def test_weights_that_saw_a_sealed_record_are_not_tested(stores, tmp_path):
    """A source store that holds, as training records, what is sealed here."""
    sealed = {index for index in range(60) if PARTS[index // 2 % 10] == "test"}
    turned = tmp_path / "turned"
    source = stores[0].parent / "source1"
    shutil.copytree(source, turned)
    lines = (turned / "labels.csv").read_text().replace("test", "x").replace(",train", ",test").replace("x", "train")
    (turned / "labels.csv").write_text(lines)
    rule = SplitRule(train=("train",), validation=("validation",), test=("test",))
    prepare(own_source(turned), tmp_path / "store", StoreRequest(leads=LEADS, rule=rule))
    fit = TinyFit(config={}, directory=tmp_path / "fit", max_steps=1)

    checkpoint = _fit(ArrhythmiaTask(data=tmp_path / "store"), fit)

    with pytest.raises(ValueError, match=f"trained on {len(sealed)} sealed records: r1-12, r1-13, .* more"):
        ArrhythmiaTask(data=stores[0]).test([checkpoint], tmp_path / "final")
    assert not (tmp_path / "final").exists()


def test_a_checkpoint_of_another_question_is_not_tested(stores, tmp_path):
    checkpoint = _fit(ArrhythmiaTask(data=stores[0]), TinyFit(config={}, directory=tmp_path / "fit", max_steps=1))
    source = tmp_path / "source"
    shutil.copytree(stores[0].parent / "source1", source)
    (source / "labels.csv").write_text((source / "labels.csv").read_text().replace("slow", "sluggish"))
    rule = SplitRule(train=("train",), validation=("validation",), test=("test",))
    prepare(own_source(source), tmp_path / "store", StoreRequest(leads=LEADS, rule=rule))
    with pytest.raises(ValueError, match="must have the classes, leads, rate and processing of"):
        ArrhythmiaTask(data=tmp_path / "store").test([checkpoint], tmp_path)


def test_a_folder_that_is_no_store_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ValueError, match="orchestrate data prepare"):
        ArrhythmiaTask(data=tmp_path).describe()


def test_an_outer_part_is_tested_in_the_place_of_the_sealed_one_which_may_be_gone(stores, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(stores[0], bare, ignore=shutil.ignore_patterns("sealed"))
    task, finals, judged = run_stages(bare, stores[1], tmp_path, steps=1, outer="1/3")
    plain = ArrhythmiaTask(data=bare).describe()

    values = task.test(finals, tmp_path / "final", judged)

    described = task.describe()
    assert described["outer"] == "1/3"
    assert described["data"] != plain["data"]
    assert described["folds"] == plain["folds"]
    assert int(str(described["records"])) + values["records"] == plain["records"] == 36
    with (tmp_path / "final" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    outer = {row["patient"] for row in rows}
    assert len(outer) == values["patients"]
    held = read_checkpoint(judged[0]).predictions
    assert held is not None
    fingerprints = np.concatenate([read_checkpoint(path).fingerprints for path in finals])
    seen = [name for name, one in fingerprints_of(bare).items() if one in fingerprints]
    assert len(seen) == described["records"]
    assert not {row["record"] for row in rows} & ({*seen} | set(held.ids))


def fingerprints_of(store: Path) -> dict[str, int]:
    with (store / "index.csv").open(newline="") as file:
        return {row["record"]: int(row["fingerprint"]) for row in csv.DictReader(file)}


def test_weights_of_the_undivided_store_are_not_tested_on_an_outer_part(stores, tmp_path):
    checkpoint = _fit(ArrhythmiaTask(data=stores[0]), TinyFit(config={}, directory=tmp_path, final=True, max_steps=1))
    with pytest.raises(ValueError, match="trained on 12 outer records"):
        ArrhythmiaTask(data=stores[0], outer="0/3").test([checkpoint], tmp_path / "final")


def test_labels_that_only_an_outer_part_has_score_chance(tmp_path):
    """Signals of noise, as with the sealed part above."""
    store = written_store(tmp_path, seed=5, records=200, informative=False)
    task, finals, judged = run_stages(store, written_store(tmp_path, seed=4), tmp_path, outer="0/2")
    assert 0.3 < task.test(finals, tmp_path, judged)["macro_auc"] < 0.7


def test_an_outer_part_that_cannot_be_is_refused_when_the_task_is_made(tmp_path):
    with pytest.raises(ValueError, match=r"outer: must be i/n with n from 2 to 5 or a multiple of 5, .* got '7/6'"):
        ArrhythmiaTask(data=tmp_path, outer="7/6")


@pytest.mark.parametrize("outer", [None, "2/5"])
def test_without_checkpoints_the_frequencies_of_the_classes_are_scored(stores, outer, tmp_path):
    task = ArrhythmiaTask(data=stores[0], outer=outer)
    values = task.test([], tmp_path)

    assert (values["macro_auc"], values["macro_auc_low"], values["macro_auc_high"]) == (0.5, 0.5, 0.5)
    with (tmp_path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    said = {tuple(row[f"probability_{name}"] for name in ("quick", "rapid", "slow")) for row in rows}
    assert len(said) == 1
    assert 0.2 < values["log_loss"] < 0.75
    finals = [_fit(task, TinyFit(config={}, directory=tmp_path / "fit", final=True, max_steps=1))]
    assert set(task.test(finals, tmp_path / "final")) <= set(values)  # a trained one may never call a class


def test_what_calls_all_the_same_or_is_no_better_than_chance_has_learnt_nothing(stores, tmp_path):
    task = ArrhythmiaTask(data=stores[0])
    assert "same answer (collapsed)" in str(task.learnt_nothing(task.test([], tmp_path)))
    assert "same answer (collapsed)" in str(task.learnt_nothing({"macro_auc": 0.7, "collapsed": 1.0}))
    assert "macro_auc is 0.480, and chance is .5" == task.learnt_nothing({"macro_auc": 0.48, "collapsed": 0.0})
    assert task.learnt_nothing({"macro_auc": 0.7, "collapsed": 0.0}) is None


def test_baselines_are_configurations_that_can_be_trained(stores, tmp_path):
    task = ArrhythmiaTask(data=stores[0])
    for name, config in task.baselines().items():
        _fit(task, TinyFit(config=config, directory=tmp_path / name, max_steps=1))
        assert set(config) <= set(task.parameters())


@pytest.mark.slow
def test_the_untuned_small_model_learns_real_recordings(recordings, tmp_path):
    """PTB-XL superclasses, folds 1-6 and 7+8: macro-AUC about .84; chance is .5. The test part stays shut."""
    rule = SplitRule(train=tuple("123456"), validation=("7", "8"), test=("9",))
    prepare(ptbxl_source(recordings / "ptbxl500"), tmp_path / "store", StoreRequest(rule=rule))
    heard = Heard()
    fit = TinyFit(config={"learning_rate": 3e-3}, directory=tmp_path / "fit", max_steps=8)
    ArrhythmiaTask(data=tmp_path / "store").fit(fit, heard)
    assert max(metrics["macro_auc"] for metrics in heard.metrics) > 0.78


def test_of_a_recipe_the_folds_are_known_before_and_everything_after_it_is_prepared(tmp_path):
    synthetic = {"records": 40, "seed": 1, "seconds": 2}
    recipe = {
        "file": str(tmp_path / "recipe.yaml"),
        "store": "store",
        "recordings": {"reader": "own", "from": "raw", "synthesize": synthetic},
        "split": {"folds": 3},
    }
    task, said = ArrhythmiaTask(data=recipe), []

    assert task.describe() == {"folds": 3}
    assert "from 40 synthetic records" in str(task.missing())
    assert not (tmp_path / "store").exists()
    task.prepare(lambda doing, done=0, total=None: said.append(doing))

    assert task.missing() is None
    assert ArrhythmiaTask(data=recipe).describe() == ArrhythmiaTask(data=tmp_path / "store").describe()
    assert task.describe()["records"] == 32
    assert said


def test_of_a_folder_nothing_is_missing(stores):
    assert ArrhythmiaTask(data=stores[0]).missing() is None
