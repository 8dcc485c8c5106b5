"""What a person finds in MLflow: the winner beside the untuned default, validation and test apart, and a model to ask.

One experiment, copied into a real store.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pytest

from orchestrator.results.mlflow_answer import escaped
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow, on loading a model: not ours to mend


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one experiment, whose winner is tested beside the untuned default, and a search."""
    folder = tmp_path_factory.mktemp("answers")
    space = toy_search(baseline=True, winner="best", seeds=2, folds=2)
    written(folder / "s.yaml", space)
    told = {
        "stages": {"a": {"search": "s.yaml"}, "b": {"search": "s.yaml"}},
        "final": {"stages": ["a", "b"], "seeds": 2, "form": "judged", "beside": ["default"]},
    }
    done = orchestrate_here("run", written(folder / "e.yaml", told), "--runs", folder / "runs")
    assert (0, "") == (done.returncode, done.stderr)
    return folder / "runs"


def client_of(runs: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{runs / 'mlflow.db'}")


def runs_in(runs: Path) -> Mapping[str, Any]:
    client = client_of(runs)
    found = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    return {run.info.run_name: run for run in found if not run.info.run_name.startswith("trial")}


def contents(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize(("name", "place"), [("e", "e"), ("a", "e/a")])
def test_a_parent_has_the_winners_mean_sd_and_interval_beside_the_untuned_defaults(
    runs: Path, name: str, place: str
) -> None:
    metrics, winner = runs_in(runs)[name].data.metrics, contents(runs / place / "winner.json")
    for of in ("mean", "sd", "low", "high"):
        assert winner[of] == metrics[f"winner_score_{of}"]
        assert f"default_score_{of}" in metrics
    assert winner["over_default"] == metrics["winner_score_over_default"]
    assert winner["over_default"] == pytest.approx(metrics["winner_score_mean"] - metrics["default_score_mean"])


def test_what_was_tested_beside_the_winner_has_a_name_that_says_so(runs: Path) -> None:
    tested = contents(runs / "e" / "final" / "test.json")
    metrics = runs_in(runs)["e"].data.metrics
    assert tested["metrics"]["score"] == metrics["test_score"]
    assert tested["beside"]["default"]["metrics"]["score"] == metrics["default_test_score"] < metrics["test_score"]
    assert not any("test" in name for name in runs_in(runs)["a"].data.metrics), "no stage was tested"


def test_a_parents_tags_and_description_give_the_answer(runs: Path) -> None:
    found, winner = runs_in(runs), contents(runs / "e" / "winner.json")
    tags = found["e"].data.tags
    assert {
        "stage": winner["search"],
        "trial": "2",
        "metric": "score",
        "data": "toy",
        "test openings": "1",
    }.items() <= (tags.items())
    assert contents(runs / "e" / "provenance.json")["code"]["commit"] == tags["mlflow.source.git.commit"]
    text = tags["mlflow.note.content"]
    assert f"**Winner:** trial 2 of {winner['search']}" in text
    assert f"| winner | {winner['mean']:.4f} [{winner['low']:.4f}, {winner['high']:.4f}] |" in text
    assert "| untuned default | " in text
    assert "The test part was opened once." in text
    assert "The test part was not opened by this run." in found["a"].data.tags["mlflow.note.content"]


def test_artifacts_are_the_report_its_figures_and_the_tables_as_they_are_now(runs: Path, tmp_path: Path) -> None:
    """A report that is written after the copy, or anew, is in the next copy; a description of a person's stays."""
    shutil.copytree(runs / "e", tmp_path / "runs" / "e", ignore=shutil.ignore_patterns("report.html", "figures"))
    assert 0 == orchestrate_here("sync", "--runs", tmp_path / "runs").returncode
    there = artifacts(tmp_path / "runs", "e")
    assert {"table.csv", "table.md", "winner.json", "spec.yaml"} <= there
    assert not {"report.html", "figures"} & there
    client_of(tmp_path / "runs").set_tag(
        runs_in(tmp_path / "runs")["e"].info.run_id, "mlflow.note.content", "mine, and nobody else's"
    )

    (tmp_path / "runs" / "e" / "report.html").write_text("<p>the answer</p>")
    (tmp_path / "runs" / "e" / "figures").mkdir()
    (tmp_path / "runs" / "e" / "figures" / "curves.svg").write_text("<svg/>")
    assert 0 == orchestrate_here("sync", "--runs", tmp_path / "runs").returncode

    assert {"report.html", "figures"} <= artifacts(tmp_path / "runs", "e")
    assert {"figures/curves.svg"} == artifacts(tmp_path / "runs", "e", "figures")
    assert "mine, and nobody else's" == runs_in(tmp_path / "runs")["e"].data.tags["mlflow.note.content"]


def artifacts(runs: Path, name: str, below: str | None = None) -> set[str]:
    return {one.path for one in client_of(runs).list_artifacts(runs_in(runs)[name].info.run_id, below)}


def test_the_registered_model_says_what_it_is_and_has_an_input_example(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(runs)
    assert "Takes an array of float32 of shape (-1,1)" in client.get_registered_model("e").description
    assert not client.get_registered_model("e").aliases, "nobody said what a champion is"
    version = client.get_model_version("e", "1")
    assert "**Winner:** trial 2" in version.description
    test = contents(runs / "e" / "final" / "test.json")
    wanted = {"run": "e", "test_score": f"{test['metrics']['score']:.4f}", "test openings": "1", "data": "toy"}
    assert wanted.items() <= version.tags.items()
    assert {"spec", "commit", "stage", "trial"} <= version.tags.keys()

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{runs}/mlflow.db")
    model = mlflow.pyfunc.load_model("models:/e/1")
    assert [[0.5]] == model.input_example.tolist()
    assert (1, 1) == model.predict(model.input_example).shape


def test_a_run_of_an_earlier_version_that_left_no_example_is_copied_without(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "e", tmp_path / "runs" / "e")
    (tmp_path / "runs" / "e" / "final" / "model" / "input_example.npy").unlink()
    done = orchestrate_here("sync", "--runs", tmp_path / "runs")
    assert (0, "") == (done.returncode, done.stderr)
    assert "**Winner:**" in client_of(tmp_path / "runs").get_model_version("e", "1").description


def test_names_of_others_are_no_markup() -> None:
    assert r"\[a\]\(b\) &lt;img\> \*x\* a\|b \_c" == escaped("[a](b) <img> *x* a|b\n_c")
