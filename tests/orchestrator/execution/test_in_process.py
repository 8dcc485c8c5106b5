"""Fits in this process: print and debugger work, a stop and a failure are what they are under Ray."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import RunFailed, UserError
from orchestrator.execution.in_process import THREADS, InProcessExecutor, in_process
from orchestrator.history.journal import read_journal
from orchestrator.history.records import End, State
from orchestrator.results.table_files import write_tables
from orchestrator.search.search import Search
from orchestrator.specs.specs import TaskSpec
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.in_process import open_search, toy_spec
from tests.orchestrator.without_ray import orchestrate_here

GRID = {"sampler": "grid", "trials": None, "space": {"x": {"choice": [0.1, 0.9]}}}


def search_of(task: str, folder: Path, **changes: object) -> Search:
    values = {"name": f"tests.orchestrator.execution.tasks:{task}", "with": changes.pop("with_", {})}
    return open_search(toy_spec(task=values, **{**GRID, **changes}), folder)


def test_what_a_fit_prints_is_seen_unless_it_is_to_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, keep in (("seen", False), ("kept", True)):
        search = search_of("Talking", tmp_path / name)
        with in_process(threads=1, keep_output=keep) as executor:
            executor.execute(search)
        search.close()
    assert "hello from trial 0\nhello from trial 1\n" == capsys.readouterr().out
    assert "hello from trial 1\n" == (tmp_path / "kept/trials/1/seed0-fold0/output.txt").read_text()
    assert not list((tmp_path / "seen").rglob("output.txt"))


def test_a_stop_leaves_the_fit_past_its_own_except_and_through_its_finally(tmp_path: Path) -> None:
    prune = {"successive_halving": {"min_steps": 1, "factor": 2}}
    search = search_of("Stubborn", tmp_path / "run", prune=prune)
    InProcessExecutor().execute(search)
    search.close()
    assert [State.COMPLETE, State.PRUNED] == [trial.state for trial in search.ledger.trials.values()]
    stopped = tmp_path / "run/trials/1/seed0-fold0"
    assert (stopped / "cleaned-up").exists()
    assert not (stopped / "caught").exists()


def test_a_refusal_by_the_search_is_raised_and_no_failure_of_the_fit(tmp_path: Path) -> None:
    """Even where the task would swallow the error: it never sees it."""
    search = search_of("Stubborn", tmp_path / "run", metric="scoer")
    with pytest.raises(UserError, match="metric: scoer"):
        InProcessExecutor().execute(search)
    search.close()
    assert not [record for record, _at in search.journal.entries if isinstance(record, End)]


@pytest.mark.parametrize(
    ("what", "said"),
    [("memory", "this process cannot go on"), ("disk", "weights: No space left on device; nothing is")],
)
def test_what_is_not_the_configurations_fault_ends_the_run_and_the_same_command_goes_on(
    tmp_path: Path, what: str, said: str
) -> None:
    for _trial in range(2):
        search = search_of("OutOf", tmp_path / "run", with_={"what": what})
        with pytest.raises(RunFailed, match=said):
            InProcessExecutor().execute(search)
        search.close()
    search = search_of("OutOf", tmp_path / "run", with_={"what": what})
    InProcessExecutor().execute(search)
    search.close()
    assert {State.COMPLETE} == {trial.state for trial in search.ledger.trials.values()}
    steps = (tmp_path / "run/trials/0/seed0-fold0/steps.log").read_text().splitlines()
    assert ["1", "2", "2", "3", "4"] == [line.split()[0] for line in steps], "it went on from its checkpoint"


def test_a_fit_that_runs_out_of_memory_whenever_it_is_begun_has_failed_in_the_end(tmp_path: Path) -> None:
    for _ in range(2):
        search = search_of("OutOf", tmp_path / "run", with_={"what": "memory", "always": True})
        with pytest.raises(RunFailed, match="this process cannot go on: out of memory: MemoryError"):
            InProcessExecutor(keep_output=True).execute(search)
        search.close()
    search = search_of("OutOf", tmp_path / "run", with_={"what": "memory", "always": True})
    with pytest.raises(RunFailed, match="this process cannot go on"):
        InProcessExecutor(keep_output=True).execute(search)
    search.close()
    assert State.FAILED is search.ledger.trials[0].state
    assert "out of memory 3 times in a row" in str(search.ledger.trials[0].error)


def test_a_task_that_swallows_ctrl_c_does_not_make_of_it_a_trial_that_is_done(tmp_path: Path) -> None:
    task = {"name": "tests.orchestrator.execution.tasks:Swallowing", "with": {}}
    done = orchestrate_here(
        "search", "--space", written(tmp_path / "s.yaml", toy_search(task=task)), "--runs", tmp_path / "runs"
    )
    assert (130, "interrupted; nothing is lost: the same command goes on\n") == (done.returncode, done.stderr)
    records = [record for record, _at in read_journal(tmp_path / "runs" / "s" / "journal.jsonl")]
    assert not [record for record in records if isinstance(record, End)]


def test_a_failed_fit_leaves_its_traceback_as_in_a_worker(tmp_path: Path) -> None:
    search = open_search(
        toy_spec(sampler="grid", trials=None, space={"kind": {"choice": ["raises", "plain"]}}), tmp_path
    )
    InProcessExecutor().execute(search)
    search.close()
    assert [State.FAILED, State.COMPLETE] == [trial.state for trial in search.ledger.trials.values()]
    assert "Traceback" in (tmp_path / "trials/0/seed0-fold0/error.txt").read_text()


def test_a_mistake_in_a_call_is_the_users_and_anything_else_a_failure(tmp_path: Path) -> None:
    task = TaskSpec.model_validate({"name": "tests.toy_task:ToyTask"})
    with pytest.raises(UserError, match="No such file"):
        InProcessExecutor().call(task, "test", [tmp_path / "none.json"], tmp_path)
    with pytest.raises(RunFailed, match=r"ToyTask\.test failed:\nTraceback"):
        InProcessExecutor().call(task, "test")


@pytest.mark.slow
def test_without_ray_the_search_and_its_final_come_to_what_they_come_to_with_it(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search(seeds=2, concurrency=2))
    for words in (["search", "--space", space], ["retrain", "toy", "--seeds", 2]):
        with_ray = orchestrate(*words, "--runs", tmp_path / "ray")
        without = [*map(str, words), "--runs", str(tmp_path / "here"), "--executor", "in-process"]
        code = f"import sys, orchestrator.cli as c; print(c.main({without}), 'ray' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert (0, "0 False") == (with_ray.returncode, done.stdout.splitlines()[-1]), with_ray.stderr + done.stderr
    ray, here = ((tmp_path / name / "toy") for name in ("ray", "here"))
    assert without_seconds(ray / "table.csv") == without_seconds(here / "table.csv")
    metrics = [json.loads((run / "final" / "test.json").read_text())["metrics"] for run in (ray, here)]
    assert metrics[0] == metrics[1]


def without_seconds(table: Path) -> list[dict[str, str]]:
    return [{**row, "seconds": ""} for row in csv.DictReader(table.read_text().splitlines())]


def debugged(tmp_path: Path, said: str) -> subprocess.CompletedProcess[str]:
    task = {"name": "tests.orchestrator.execution.tasks:Talking", "with": {"ask": True}}
    space = written(tmp_path / "toy.yaml", toy_search(task=task, folds=1))
    words = ["search", "--space", space, "--runs", tmp_path / "runs", "--executor", "in-process"]
    command = [sys.executable, "-m", "orchestrator.cli", *map(str, words)]
    return subprocess.run(command, input=said, capture_output=True, text=True, timeout=120, check=False)


def test_a_breakpoint_in_the_task_stops_there_and_goes_on(tmp_path: Path) -> None:
    done = debugged(tmp_path, "p fit.config['x']\nc\nc\n")
    assert 0 == done.returncode, done.stderr
    assert "(Pdb) 0.1" in done.stdout
    assert "toy 2/2 trial 1 complete" in done.stdout


def test_who_leaves_the_debugger_interrupts_the_search_and_fails_no_trial(tmp_path: Path) -> None:
    done = debugged(tmp_path, "q\n")
    assert (130, "interrupted; nothing is lost: the same command goes on\n") == (done.returncode, done.stderr)
    entries = read_journal(tmp_path / "runs" / "toy" / "journal.jsonl")
    assert not [record for record, _at in entries if isinstance(record, End)]


def test_where_fits_run_is_said_once(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    done = orchestrate("search", "--space", space, "--executor", "in-process", "--cluster", "x.yaml")
    assert 2 == done.returncode
    assert "not allowed with argument" in done.stderr


def test_a_fit_here_computes_with_the_threads_of_the_spec_and_the_process_has_its_own_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for before in ("7", None):
        monkeypatch.setenv(THREADS, before) if before else monkeypatch.delenv(THREADS)
        with in_process(threads=3):
            assert "3" == os.environ[THREADS]
        assert before == os.environ.get(THREADS)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("surrogates", r"ValueError: a name of no encoding: \\udcff\\ud800 \(tasks.py:\d+; all of it in error.txt\)"),
        ("long", r"ValueError: x{250} \.\.\. \(19999508 characters cut\) \.\.\. x{242} the end \(tasks.py:\d+; .*\)"),
        ("unspeakable", r"UnspeakableError: \(str\(\) of it raised RuntimeError\) \(tasks.py:\d+; .*\)"),
        ("many lines", r"ValueError: the first line \(tasks.py:\d+; all of it in error.txt\)"),
        ("folder gone, raised", r"ValueError: nowhere to go \(tasks.py:\d+; all of it in error.txt\)"),
        ("folder gone", r"it deleted its own folder, .*/trials/0/seed0-fold0, and all checkpoints in it"),
        ("folder a file", r"ValueError: nowhere to go \(tasks.py:\d+; error.txt could not be written\)"),
    ],
)
def test_an_error_that_is_hard_to_write_down_is_the_fits_own_cut_and_escaped(
    tmp_path: Path, what: str, error: str
) -> None:
    search = search_of("Raising", tmp_path / "run", with_={"what": what})
    InProcessExecutor(keep_output=True).execute(search)
    search.close()
    assert [State.FAILED, State.COMPLETE] == [trial.state for trial in search.ledger.trials.values()]
    assert re.fullmatch(error, search.ledger.trials[0].error or "")
    write_tables(search.ledger, search.folder, alive=False)
    assert search.journal.path.stat().st_size < 100_000
    text = tmp_path / "run/trials/0/seed0-fold0/error.txt"
    if what not in ("folder gone", "folder a file"):
        assert text.stat().st_size < 210_000
        assert "Error" in text.read_text(encoding="utf-8")


def test_a_worker_that_died_with_many_words_leaves_a_short_record(tmp_path: Path) -> None:
    search = search_of("Talking", tmp_path / "run")
    key, _fit = search.next_fit() or pytest.fail("no fit")
    search.failed(key, "x" * 20_000_000 + "\udcff")
    search.close()
    assert search.journal.path.stat().st_size < 100_000
    assert (search.ledger.trials[0].error or "").endswith("x\\udcff")
