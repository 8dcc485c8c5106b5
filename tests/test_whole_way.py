"""From recordings on disk to a tested model, with the real task, through the command line alone."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from ecgcore.data.store import open_store
from ecgcore.readers.record import read_record
from orchestrator.history.journal import read_journal
from orchestrator.history.records import Reported
from tests.ecgcore.raw_files import noise, write_table, write_wfdb
from tests.orchestrator.command import orchestrate, written
from tests.orchestrator.without_ray import orchestrate_here

pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow, on loading a model: not ours to mend


def search_of(store: Path, **changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "task": {"name": "ecgcore.task:ArrhythmiaTask", "with": {"data": str(store)}},
        "metric": "macro_auc",
        "max_steps": 3,
        "sampler": "grid",
        "folds": 1,
        "concurrency": 1,
        "space": {"model": "cnn1d", "learning_rate": {"choice": [1e-3, 1e-2]}},
    }
    return {**plain, **changes}


def experiment_of(folder: Path, store: Path) -> Path:
    written(folder / "pretrain.yaml", search_of(store, concurrency=1, space={"model": "cnn1d"}))
    head = {"model": "cnn1d", "train": "head", "learning_rate": {"choice": [1e-3, 1e-2]}}
    written(folder / "head.yaml", search_of(store, space=head))
    written(folder / "full.yaml", search_of(store))
    stages = {
        "pretrain": {"search": "pretrain.yaml"},
        "head": {"search": "head.yaml", "start_from": "pretrain"},
        "full": {"search": "full.yaml", "start_from": "head"},
    }
    return written(folder / "way.yaml", {"stages": stages, "final": {"stages": ["head", "full"], "seeds": 2}})


def planted_store(folder: Path, *, sealed_seed: int) -> Path:
    """Noise with labels drawn by lot, but in the sealed part the label is written into the signal as an offset."""
    rows, open_draw, sealed_draw = [], np.random.default_rng(0), np.random.default_rng(sealed_seed)
    for number in range(400):
        sealed = number % 4 == 0
        label = int((sealed_draw if sealed else open_draw).integers(2))
        write_wfdb(folder / "records", f"r{number}", noise(number) + np.int16(2000 * label if sealed else 0))
        fold = "test" if sealed else "0" if number % 2 else "1"  # 200 records validate fold 0
        rows.append([f"r{number}", f"p{number}", ["calm", "wild"][label], fold])
    write_table(folder / "records", rows, "record,patient,labels,fold")
    prepare(folder / "records", folder / "store", "--leads", "I,II")
    return folder / "store"


def prepare(records: Path, store: Path, *words: str) -> None:
    done = orchestrate_here("data", "prepare", "--reader", "own", "--from", records, "--to", store, *words)
    assert 0 == done.returncode, done.stderr


@pytest.fixture(scope="module")
def rhythms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 96 synthetic recordings."""
    folder = tmp_path_factory.mktemp("rhythms")
    assert (
        0 == orchestrate_here("data", "synthesize", "--records", 96, "--seed", 3, "--to", folder / "records").returncode
    )
    prepare(folder / "records", folder / "store", "--folds", "2")
    return folder / "store"


def test_a_label_that_only_the_sealed_part_has_scores_chance_in_every_stage_and_changes_nothing(tmp_path: Path) -> None:
    stores = {}
    for seed in (1, 2):  # two stores that differ in nothing but the sealed part
        (tmp_path / str(seed)).mkdir()
        stores[seed] = planted_store(tmp_path / str(seed), sealed_seed=seed)
    done = orchestrate_here("run", experiment_of(tmp_path, stores[1]), "--runs", tmp_path / "runs", "--json")
    assert 0 == done.returncode, done.stderr
    run = tmp_path / "runs" / "way"

    for stage in ("pretrain", "head", "full"):
        best = json.loads((run / stage / "winner.json").read_text())["mean"]
        assert 0.3 < best < 0.7, f"{stage}: the best of a few on 200 records without a signal; sd of one is .04"

    space = written(tmp_path / "pretrain2.yaml", search_of(stores[2], space={"model": "cnn1d"}))
    assert 0 == orchestrate_here("search", "--space", space, "--runs", tmp_path / "runs").returncode
    assert scores(run / "pretrain") == scores(tmp_path / "runs" / "pretrain2")


def scores(stage: Path) -> list[Any]:
    records = [record for record, _at in read_journal(stage / "journal.jsonl")]
    return [(record.trial, record.step, record.metrics) for record in records if isinstance(record, Reported)]


@pytest.mark.slow
def test_with_sealed_removed_everything_but_the_test_works(rhythms: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(rhythms, store)
    shutil.rmtree(store / "sealed")
    assert 0 == orchestrate_here("plan", experiment_of(tmp_path, store)).returncode
    runs = tmp_path / "runs"
    assert 0 == orchestrate_here("search", "--space", tmp_path / "full.yaml", "--runs", runs).returncode
    assert 0 == orchestrate_here("consolidate", "full", "--runs", runs).returncode

    tested = orchestrate("retrain", "full", "--runs", runs, "--seeds", 1)
    assert 2 == tested.returncode
    assert "sealed" in tested.stderr
    assert "Traceback" not in tested.stderr
    assert not (runs / "full" / "final" / "test.json").exists()

    shutil.copytree(rhythms / "sealed", store / "sealed")
    again = orchestrate_here("retrain", "full", "--runs", runs, "--seeds", 1, "--json")
    assert 1 == json.loads(again.stdout)["openings"], "the same checkpoints after a failure are the same opening"


@pytest.mark.slow
def test_mlflow_has_the_stages_trials_and_final_and_serves_the_model_that_was_tested(
    rhythms: Path, tmp_path: Path
) -> None:
    uri = f"sqlite:///{tmp_path}/elsewhere.db"
    experiment = experiment_of(tmp_path, rhythms)
    words = ("run", experiment, "--runs", tmp_path / "runs", "--name", "served")
    done = orchestrate(*words, MLFLOW_TRACKING_URI=uri)
    assert 0 == done.returncode, done.stderr
    assert "" == done.stderr, "no chatter of MLflow's"
    assert 0 == orchestrate_here(*words, MLFLOW_TRACKING_URI=uri).returncode  # copying again adds nothing

    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    found = client.search_runs([client.get_experiment_by_name("served").experiment_id])
    by_name = {run.info.run_name: run for run in found if not run.info.run_name.startswith("trial")}
    companions = {"head-from-scratch", "full-from-scratch"}
    assert {"served", "pretrain", "head", "full", "final"} | companions == set(by_name)
    parents = [run.data.tags.get("mlflow.parentRunId") for run in found]
    for stage, trials in (("pretrain", 1), ("head", 3), ("full", 3)):  # the untuned default is one of them
        assert trials == parents.count(by_name[stage].info.run_id)
    assert 6 == parents.count(by_name["served"].info.run_id)
    trial = next(run for run in found if run.data.tags.get("mlflow.parentRunId") == by_name["full"].info.run_id)
    assert 3 == len(client.get_metric_history(trial.info.run_id, "macro_auc"))
    assert {"model", "learning_rate"} <= set(trial.data.params)
    assert "test_macro_auc_low" in by_name["final"].data.metrics

    final = tmp_path / "runs" / "served" / "final"
    thresholds = json.loads((final / "model" / "signature.json").read_text())["thresholds"]
    measured = by_name["final"].data.metrics
    assert [float(value) for value in thresholds.split(",")] == [
        measured[f"test_threshold_{name}"] for name in open_store(rhythms).classes
    ]
    with (final / "predictions.csv").open(newline="") as file:
        tested = list(csv.DictReader(file))[:3]
    recorded = [
        read_record(rhythms.parent / "records" / row["record"], name="", patient="", labels=()) for row in tested
    ]
    turned = np.stack([one.signal[::-1] for one in recorded]) * np.float32(1000)
    asked = {"leads": list(recorded[0].leads[::-1]), "unit": "uV", "sampling_rate": recorded[0].rate}
    model = mlflow.pyfunc.load_model("models:/served/1")
    served = model.predict(turned, params=asked)
    names = [name for name in tested[0] if name.startswith("probability_")]
    assert [*names, "decision"] == list(served.columns)
    np.testing.assert_allclose(served[names], [[float(row[name]) for name in names] for row in tested], atol=5e-6)
    assert [row["decision"] for row in tested] == served["decision"].tolist()
    np.testing.assert_array_equal(served[names], model.predict(turned[:, ::-1] / np.float32(1000))[names])
    with pytest.raises(mlflow.MlflowException, match=r"missing: I, .*V6; the record has V5"):
        model.predict(turned[:, 1:2], params={"leads": ["V5"]})


def test_a_store_that_is_missing_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    space = written(tmp_path / "s.yaml", search_of(tmp_path / "nowhere"))
    done = orchestrate_here("search", "--space", space, "--runs", tmp_path / "runs")
    assert 2 == done.returncode
    assert f"{tmp_path}/nowhere" in done.stderr
    assert "orchestrate data prepare" in done.stderr
