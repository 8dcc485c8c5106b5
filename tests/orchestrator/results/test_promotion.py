"""`final: {register: NAME, require: {test/SCORE: BOUND}}`: who becomes the champion, and what others are told."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest

from orchestrator.history.run_contents import experiment_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.requirements import Bound, unmet
from orchestrator.specs.specs import differences
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

SCORED = {"name": "tests.toy_task:ScoredToyTask", "with": {}}


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def experiment(folder: Path, name: str, *, task: Any = SCORED, **final: Any) -> Path:
    written(folder / "s.yaml", toy_search(folds=1, task=task, space={"x": 0.3}))
    told = {"stages": {"a": {"search": "s.yaml"}}, "final": {"stages": ["a"], "form": "judged", **final}}
    return written(folder / f"{name}.yaml", told)


def test_who_meets_what_is_required_is_the_champion_and_stays_it_until_another_does(tmp_path: Path) -> None:
    """A requirement may be changed by a resume: the final is the same, and its version is judged anew."""
    runs = tmp_path / "runs"

    def run(name: str, **final: Any) -> str:
        words = ("run", experiment(tmp_path, name, register="ours", **final), "--runs", runs, "--reopen")
        done = orchestrate_here(*words if not (runs / name).exists() else words[:-1])
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout

    said = run("good", require={"test/score": 0.5})
    assert "MLflow: ours gets the alias champion: its test is as required (test/score at least 0.5)" in said
    client = mlflow.MlflowClient(f"sqlite:///{runs / 'mlflow.db'}")
    champion = client.get_model_version_by_alias("ours", "champion")
    assert ("good", "1") == (champion.tags["run"], str(champion.version))
    named = [client.get_experiment_by_name("good").experiment_id]
    (parent,) = client.search_runs(named, "attributes.run_name = 'good'")
    assert "registered as [ours](#/models/ours)" in parent.data.tags["mlflow.note.content"]

    said = run("high", require={"test/score": 0.9, "test/loss": {"at_most": 0.1}})
    score = json.loads((runs / "high" / "final" / "test.json").read_text())["metrics"]["score"]
    line = (
        f"ours does not get the alias champion, which stays where it was: test/score is {score:.4f}, "
        f"{0.9 - score:.4f} below the required 0.9; test/loss is not among the scores of this test"
    )
    assert f"MLflow: {line}" in said
    assert "good" == client.get_model_version_by_alias("ours", "champion").tags["run"]
    second = client.get_model_version("ours", "2")
    assert second.tags["run"] == "high"
    assert second.tags["required"].startswith(line)

    run("high", require={"test/score": {"at_least": 0.5, "at_most": 1}})
    assert "high" == client.get_model_version_by_alias("ours", "champion").tags["run"]
    assert 1 == len((runs / "high" / "final" / "opened.log").read_text().splitlines())
    now = experiment_of(RunFolder(runs / "high"))
    assert now is not None
    assert Bound(at_least=0.5, at_most=1.0) == now.final.require["test/score"]

    assert 0 == orchestrate_here("sync", "good", "--runs", runs).returncode
    assert "high" == client.get_model_version_by_alias("ours", "champion").tags["run"], "a copy is no promotion"
    assert 2 == len(client.search_model_versions("name = 'ours'"))


def test_every_mistake_in_what_is_required_is_told_before_anything_runs(tmp_path: Path) -> None:
    require = {"test/scroe": 0.5, "test/loss": 0.4, "score": 0.5, "test/score": {"at_most": 0.9}}
    done = orchestrate_here("plan", experiment(tmp_path, "e", require=require))
    assert 2 == done.returncode
    told = [line.partition("require: ")[2] for line in done.stderr.splitlines()]
    assert [
        "test/scroe: is no score of the test, or none of which one value is better than another; did you mean "
        "test/score?",
        "test/loss: is better the smaller it is; write {at_most: 0.4}",
        "score: must be test/ and the name of a score of the test, such as test/score, got 'score'",
        "test/score: is better the larger it is; write 0.9, or {at_least: 0.9}",
    ] == told
    assert all(line.startswith(f"{tmp_path}/e.yaml:") for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("final", "rule"),
    [
        ({"require": {"test/score": {}}}, "must say at_least or at_most, or both"),
        ({"require": {"test/score": {"at_least": 2, "at_most": 1}}}, "at_least must not be above at_most, got 2 and 1"),
        ({"require": {"test/score": "high"}}, "got 'high'"),
        ({"require": {"test/score": {"above": 1}}}, "unknown key"),
        ({"register": "a/b"}, "register: "),
    ],
)
def test_what_cannot_be_required_is_told_with_its_line(tmp_path: Path, final: dict[str, Any], rule: str) -> None:
    done = orchestrate_here("plan", experiment(tmp_path, "e", **final))
    assert 2 == done.returncode
    assert rule in done.stderr
    assert f"{tmp_path}/e.yaml:" in done.stderr


def test_a_name_that_the_task_cannot_check_is_told_at_the_end() -> None:
    (told,) = unmet({"test/scroe": Bound(at_least=0.5)}, {"score": 0.7})
    assert "test/scroe is not among the scores of this test; did you mean test/score?" == told
    assert [] == unmet(
        {"test/score": Bound(at_least=0.7), "test/loss": Bound(at_most=0.2)}, {"score": 0.7, "loss": 0.2}
    )


def test_an_experiment_of_an_earlier_version_asks_for_nothing_and_goes_on(tmp_path: Path) -> None:
    today = Experiment.read(experiment(tmp_path, "e", register="ours", require={"test/score": 0.5})).as_data()
    begun = {**today, "final": {key: today["final"][key] for key in today["final"].keys() - {"register", "require"}}}
    earlier = Experiment.from_data(begun)
    assert (None, {}) == (earlier.final.register_as, earlier.final.require)
    assert [] == list(differences(earlier.as_data(), today))
    assert today == Experiment.from_data(json.loads(json.dumps(today))).as_data()
