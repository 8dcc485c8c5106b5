"""What a search may start from, how that is remembered, and what is said of weights that nobody knows."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import UserError
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.starting import start_from_of
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.in_process import toy_spec
from tests.orchestrator.without_ray import orchestrate_here


def search(runs: Path, name: str = "toy", **changes: Any) -> Any:
    space = written(runs.parent / f"{name}.yaml", toy_search(**changes))
    return orchestrate_here("search", "--space", space, "--runs", runs)


def experiment(runs: Path, stages: dict[str, Any], **final: Any) -> Any:
    last = {"stages": list(stages)[-1:], "seeds": 1, "from_scratch": False, **final}
    file = written(runs.parent / "chain.yaml", {"stages": stages, "final": last})
    return orchestrate_here("run", file, "--runs", runs)


def best_of(run: Path) -> float:
    (best, *_) = Ledger(read_journal(run / "journal.jsonl")).ranked()
    assert best.value is not None
    return best.value


def test_a_file_of_weights_is_found_beside_the_yaml_and_other_weights_are_refused_later(tmp_path: Path) -> None:
    runs, weights = tmp_path / "runs", tmp_path / "weights.json"
    weights.write_text("{}")
    started = search(runs, start_from="weights.json")
    assert 0 == started.returncode, started.stderr
    assert 0 == search(runs, "scratch").returncode
    assert pytest.approx(0.1) == best_of(runs / "toy") - best_of(runs / "scratch")
    assert str(weights) == Ledger(read_journal(runs / "toy" / "journal.jsonl")).spec.start_from  # type: ignore[union-attr]

    weights.write_text('{"other": 1}')
    refused = search(runs, start_from="weights.json")
    assert 2 == refused.returncode
    assert "facts.start: " in refused.stderr
    weights.unlink()
    gone = orchestrate_here("resume", "toy", "--runs", runs)
    assert (2, True) == (gone.returncode, "weights.json: is not there, and the search starts from it" in gone.stderr)


def test_a_stage_starts_from_a_stage_of_another_run_by_name_or_by_path(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    written(tmp_path / "one.yaml", toy_search())
    assert 0 == experiment(runs, {"one": {"search": "one.yaml"}}).returncode
    (runs / "chain").rename(runs / "other")
    for start_from in ("other/one", "runs/other/one", str(runs / "other" / "one")):
        done = experiment(runs, {"one": {"search": "one.yaml", "start_from": start_from}})
        said = done.stderr
        assert (2, True) == (done.returncode, "the test part of this data was opened" in said), said
        done = search(runs, f"from-{len(start_from)}", start_from=start_from)
        assert 0 == done.returncode, done.stderr
        assert best_of(runs / f"from-{len(start_from)}") > best_of(runs / "other" / "one")


def test_a_run_is_looked_for_beside_the_runs_that_a_stage_is_a_part_of(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert 0 == search(runs, "other").returncode
    for part in ("whole/stage", "audit/outer-0/stage"):
        (runs / part).mkdir(parents=True)
    for journal in ("whole/journal.jsonl", "audit/audit.json", "audit/outer-0/journal.jsonl"):
        (runs / journal).touch()
    spec = toy_spec(start_from="other", seeds=1, folds=1, task={"name": "tests.toy_task:ToyTask", "with": {}})
    for part in ("beside", "whole/stage", "audit/outer-0/stage"):
        path = start_from_of(spec, RunFolder(runs / part))(0, 0)
        assert path == runs / "other" / "trials" / "1" / "seed0-fold0" / "checkpoint-3.json"


@pytest.mark.parametrize(
    ("other", "from_fold"),
    [({"data": "toy", "records": "c,d"}, 1), ({"data": "another", "records": "a,b"}, 0)],
    ids=["other arguments", "other data"],
)
def test_a_fit_starts_from_the_same_fold_where_the_data_is_the_same_by_content(
    tmp_path: Path, other: dict[str, str], from_fold: int
) -> None:
    def task(**given: str) -> dict[str, Any]:
        return {"name": "tests.toy_task:SealedToyTask", "with": {"place": str(tmp_path), **given}}

    runs = tmp_path / "runs"
    assert 0 == search(runs, "earlier", task=task(records="a,b"), folds=2).returncode
    spec = toy_spec(start_from="earlier", folds=2, task=task(**other))
    path = start_from_of(spec, RunFolder(runs / "later"))(0, 1)
    assert f"seed0-fold{from_fold}" == path.parent.name


def test_a_fold_of_which_the_start_has_no_fit_is_named_and_none_of_another_fold_is_taken(tmp_path: Path) -> None:
    """Of the same data another fold's weights would have seen this one's validation records."""
    runs, task = tmp_path / "runs", {"name": "tests.toy_task:ToyTask", "with": {"folds": 3}}
    assert 0 == search(runs, "earlier", task=task, folds=2).returncode
    start = start_from_of(toy_spec(start_from="earlier", folds=3, task=task), RunFolder(runs / "later"))
    assert ["seed0-fold0", "seed0-fold1"] == [start(0, fold).parent.name for fold in (0, 1)]
    with pytest.raises(UserError, match="its winner has no fit of fold 2; search earlier with the same folds"):
        start(0, 2)


def test_an_experiment_is_no_start_and_what_is_not_there_is_named(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    written(tmp_path / "one.yaml", toy_search())
    assert 0 == experiment(runs, {"one": {"search": "one.yaml"}}).returncode
    for start_from, said in {
        "chain": "start_from: chain: is an experiment; name one of its stages, such as chain/one",
        "nobody/one": f"start_from: nobody/one: no such run in {runs}; run it first, or correct the name",
        "../../x": f"{tmp_path}/toy.yaml:13: start_from: must not lead up by `..`, which may end anywhere; give",
        "runs:/../x": f"{tmp_path}/toy.yaml:13: start_from: must not lead up by `..`",
        "no.pt": f"{tmp_path}/toy.yaml:13: start_from: must be a file of weights (relative to this file), a run or its",
    }.items():
        done = search(runs, start_from=start_from)
        assert 2 == done.returncode
        assert said in done.stderr


def test_a_start_that_is_not_there_is_told_before_the_first_stage(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    written(tmp_path / "one.yaml", toy_search())
    stages = {"one": {"search": "one.yaml"}, "two": {"search": "one.yaml", "start_from": "nobody/one"}}
    done = experiment(runs, stages)
    assert 2 == done.returncode
    assert f"start_from: nobody/one: no such run in {runs}; run it first" in done.stderr
    assert not (runs / "chain" / "one").exists()
    stages["two"]["start_from"] = "one"
    assert 0 == experiment(runs, stages).returncode


def test_a_registered_model_is_downloaded_once_and_started_from(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert 0 == search(runs, "first").returncode
    assert 0 == orchestrate_here("retrain", "first", "--runs", runs, "--seeds", 1).returncode
    done = search(runs, start_from="models:/first/1")
    assert 0 == done.returncode, done.stderr
    assert pytest.approx(0.1) == best_of(runs / "toy") - best_of(runs / "first")
    (model,) = (runs / "toy" / "start").rglob("signature.json")
    assert {"x": 0.3} == json.loads((model.parent / "model.json").read_text())

    (runs / "toy" / "start" / "kept").touch()
    assert 0 == orchestrate_here("resume", "toy", "--runs", runs).returncode
    assert (runs / "toy" / "start" / "kept").exists()  # not fetched again
    (model.parent / "model.json").write_text("{}")
    assert "facts.start: " in orchestrate_here("resume", "toy", "--runs", runs).stderr

    none = search(runs, "none", start_from="models:/nobody/1")
    assert (2, True) == (none.returncode, "start_from: models:/nobody/1: cannot be read from sqlite" in none.stderr)


def test_a_winner_from_weights_of_unknown_history_is_marked(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (tmp_path / "unknown.pt").touch()
    written(tmp_path / "one.yaml", toy_search())
    done = experiment(runs, {"one": {"search": "one.yaml", "start_from": "unknown.pt"}})
    assert 0 == done.returncode, done.stderr
    marked = "start of unknown history: nobody knows whether its weights saw records that judge it"
    assert f"  NOTE {marked}\n" in done.stdout
    for file in ("winner.json", "one/winner.json", "final/test.json"):
        assert marked == json.loads((runs / "chain" / file).read_text())["start"]


def test_published_weights_are_told_in_a_file_of_their_own_and_hashed_with_their_names(tmp_path: Path) -> None:
    runs, told = tmp_path / "runs", {"weights": "theirs.pth", "names": {"features": "backbone", "fc": None}}
    written(tmp_path / "published.yaml", told)
    missing = search(runs, start_from="published.yaml")
    assert 2 == missing.returncode
    assert "published.yaml:1: weights: must be a file, relative to this one, got 'theirs.pth'" in missing.stderr
    (tmp_path / "theirs.pth").write_text("weights")
    done = search(runs, start_from="published.yaml")
    assert 0 == done.returncode, done.stderr
    start = json.loads((runs / "toy" / "start.json").read_text())
    assert {**told, "weights": str(tmp_path / "theirs.pth"), "partial": False} == start
    assert 0 == search(runs, start_from="published.yaml").returncode

    for change in ({"names": {"features": "head"}}, {"weihgts": "x"}):
        written(tmp_path / "published.yaml", {**told, **change})
        assert 2 == search(runs, start_from="published.yaml").returncode
    written(tmp_path / "published.yaml", told)
    (tmp_path / "theirs.pth").write_text("other weights")
    refused = search(runs, start_from="published.yaml")
    assert (2, True) == (refused.returncode, "facts.start: " in refused.stderr)


def test_published_weights_that_are_named_by_a_word_are_left_to_the_task(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    written(tmp_path / "published.yaml", {"weights": "known"})
    done = search(runs, start_from="published.yaml")
    assert 0 == done.returncode, done.stderr
    told = json.loads((runs / "toy" / "start.json").read_text())
    assert {"weights": "known", "names": {}, "partial": False} == told
    assert 0 == search(runs, start_from="published.yaml").returncode

    written(tmp_path / "published.yaml", {"weights": "others"})
    refused = search(runs, start_from="published.yaml")
    assert (2, True) == (refused.returncode, "facts.start: " in refused.stderr)
