"""A run's model on other data: beside its own test, an opening like any other, and nothing is left of a mistake."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from orchestrator.history.register import read_register
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here
from tests.toy_task import TransferableToyTask


class Bench:
    """A run with a final model, and other data to test it on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, folder / "runs"
        self.run = self.runs / "toy"
        written(folder / "home", "home-1 home-2\n")
        self.other = written(folder / "other", "a b\n")
        task = {"name": "tests.toy_task:TransferableToyTask", "with": {"data": str(folder / "home")}}
        self.space = written(folder / "toy.yaml", toy_search(task=task))
        self.does("search", "--space", self.space, "--name", "toy")
        self.does("retrain", "toy", "--seeds", 1)

    def does(self, *words: object) -> str:
        done = self.tries(*words)
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def tries(self, *words: object) -> CompletedProcess[str]:
        return orchestrate_here(*words, "--runs", self.runs, MLFLOW_TRACKING_URI=f"sqlite:///{self.folder}/mlflow.db")

    def refused(self, *words: object) -> str:
        done = self.tries(*words)
        assert (2, "") == (done.returncode, done.stdout), done.stderr
        return done.stderr

    def opened(self, name: str = "other") -> int:
        log = self.run / "elsewhere" / name / "opened.log"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def nothing_happens() -> Iterator[None]:
    yield
    TransferableToyTask.while_tested.clear()


def test_it_says_each_score_beside_that_of_the_own_test_and_leaves_both_in_files(bench: Bench) -> None:
    printed = bench.does("test", "toy", "--data", bench.other)
    assert "| score | toy, its own test | other, all records   |" in printed
    assert "| score | 0.875             | 0.500 [0.250, 0.750] |" in printed
    assert "| count | -                 | 2                    |" in printed
    assert "sealed records were opened, 1 times by now" in printed
    with (bench.run / "elsewhere.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert ["other", "score", "0.875", "", "0.5"] == [
        first[name] for name in ("data", "score", "own", "own_low", "elsewhere")
    ]
    assert ("count", "") == (second["score"], second["own"])
    assert "## other" in (bench.run / "elsewhere.md").read_text()
    tested = json.loads(bench.does("test", "toy", "--data", bench.other, "--json"))
    assert (1, {"why": 3}) == (tested["openings"], tested["left_out"])
    assert 1 == bench.opened(), "what is done is shown again, and not done again"


def test_sealed_records_are_opened_once_by_whichever_run_tests_or_is_tested_on_them(bench: Bench) -> None:
    bench.does("test", "toy", "--data", bench.other)
    (line,) = [one for one in read_register(bench.folder / "openings.jsonl") if "a" in one.records]
    assert bench.run / "elsewhere" / "other" == line.final
    task = {"name": "tests.toy_task:TransferableToyTask", "with": {"data": str(bench.other)}}
    written(bench.folder / "two.yaml", toy_search(task=task))
    bench.does("search", "--space", bench.folder / "two.yaml", "--name", "two")
    assert "was opened on 20" in bench.refused("retrain", "two", "--seeds", 1)
    (bench.folder / "openings.jsonl").unlink()
    assert "was opened on 20" in bench.refused("retrain", "two", "--seeds", 1), "the runs folder knows it, too"
    assert "home, " not in bench.refused("test", "toy", "--data", bench.folder / "home")


def test_another_question_under_the_same_name_must_be_asked_for_and_is_marked(bench: Bench) -> None:
    bench.does("test", "toy", "--data", bench.other)
    labels = written(bench.folder / "map.csv", "theirs,ours\n")
    refused = bench.refused("test", "toy", "--data", bench.other, "--labels", labels)
    assert "--reopen opens it again and marks it" in refused
    assert 1 == bench.opened()
    printed = bench.does("test", "toy", "--data", bench.other, "--labels", labels, "--reopen")
    assert "NOTE the test part was opened 2 times: these scores may be chosen" in printed
    assert (bench.run / "elsewhere" / "other-1" / "test.json").exists()


def test_a_killed_test_is_the_same_opening_when_it_is_given_again(bench: Bench) -> None:
    TransferableToyTask.while_tested.append(_killed)
    assert 130 == bench.tries("test", "toy", "--data", bench.other).returncode
    TransferableToyTask.while_tested.clear()
    assert "opened, 1 times" in bench.does("test", "toy", "--data", bench.other)


def test_open_records_can_be_tested_without_an_opening_and_it_says_so(bench: Bench) -> None:
    printed = bench.does("test", "toy", "--data", bench.other, "--part", "open", "--name", "look")
    assert "NOTE no sealed record is among these" in printed
    assert "opened, 1 times" in bench.does("test", "toy", "--data", bench.other)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--data", "nowhere"], "nowhere: no such data; write it"),
        (["--data", "other", "--labels", "wrong.csv"], "wrong.csv:2: wrong, too"),
        (["--data", "other", "--part", "open", "--labels", "nothing.csv"], "no record is left"),
        (["--data", "other", "--name", "final2"], "the test's name must not begin with final, got final2"),
        (["--data", "other", "--name", "../x"], "the test's name must be one plain word"),
    ],
)
def test_a_mistake_is_told_and_leaves_nothing(
    bench: Bench, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder)
    written(bench.folder / "wrong.csv", "wrong")
    written(bench.folder / "nothing.csv", "nothing")
    assert told in bench.refused("test", "toy", *words)
    assert not list((bench.run / "elsewhere").glob("*"))


def test_a_run_without_a_tested_model_and_a_task_that_cannot_are_refused(bench: Bench) -> None:
    bench.does("search", "--space", bench.space, "--name", "untested")
    assert "has no final model that is tested; `orchestrate retrain` makes one" in bench.refused(
        "test", "untested", "--data", bench.other
    )
    written(bench.folder / "plain.yaml", toy_search())
    bench.does("search", "--space", bench.folder / "plain.yaml", "--name", "plain")
    bench.does("retrain", "plain", "--seeds", 1)
    assert "cannot test its models on other data" in bench.refused("test", "plain", "--data", bench.other)


def _killed() -> None:
    raise KeyboardInterrupt
