"""Several fits at a time: what of a search's table depends on the order in which they end, and what does not."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.records import FitKey
from orchestrator.results.table import Row, rows_of
from orchestrator.search.search import Search
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.in_process import open_search, toy_spec
from tests.orchestrator.without_ray import orchestrate_here
from tests.toy_task import ToyTask

LEARNS = {"sampler": "tpe", "trials": 9, "startup_trials": 4, "baseline": True}
PRUNES = {"prune": {"successive_halving": {"min_steps": 1, "factor": 2}}}
METHODS: dict[str, dict[str, Any]] = {
    "grid": {"sampler": "grid", "trials": None, "space": {"x": {"choice": [0.1, 0.2, 0.3]}, "y": {"choice": [0, 1]}}},
    "random": {"sampler": "random", "trials": 9},
    "startup": {**LEARNS, "trials": 4},
    "tpe": LEARNS,
    "random, pruned": {"sampler": "random", "trials": 9, **PRUNES},
}
ANY_ORDER = ("grid", "random", "startup")


def run_three_at_a_time(search: Search, *, order: int, most: int | None = None) -> list[Row]:
    """Run three fits at a time, whose turns are drawn from the seed `order`; end as killed after `most` steps."""
    draw, running, done = random.Random(order), dict[FitKey, Iterator[tuple[Any, ...]]](), 0
    while done != most:
        while len(running) < 3 and (following := search.next_fit()):
            key, fit = following
            fit.directory.mkdir(parents=True, exist_ok=True)
            steps: list[tuple[Any, ...]] = []
            ToyTask().fit(fit, lambda *said, into=steps: into.append(said))
            running[key] = iter(steps)
        if not running:
            break
        key = draw.choice(list(running))
        step, done = next(running[key], None), done + 1
        if step is None or search.reported(key, *step):
            search.returned(key)
            del running[key]
    search.close()
    return [{**row, "seconds": ""} for row in rows_of(search.ledger, alive=False)]


@pytest.mark.parametrize("method", METHODS)
def test_in_whatever_order_fits_end_the_table_is_the_same_unless_something_learns_or_prunes(
    method: str, tmp_path: Path
) -> None:
    spec = toy_spec(seeds=2, **METHODS[method])
    tables = [run_three_at_a_time(open_search(spec, tmp_path / str(order)), order=order) for order in range(4)]
    assert (method in ANY_ORDER) == all(table == tables[0] for table in tables)
    assert tables[0] == run_three_at_a_time(open_search(spec, tmp_path / "again"), order=0), "the same order"


def of_its_own(row: Row) -> Row:
    """What a row says of its trial alone: where that stands among all may become another."""
    return {**row, "standing": ""}


@pytest.mark.parametrize("method", METHODS)
def test_killed_and_gone_on_with_it_keeps_every_trial_that_it_had_begun(method: str, tmp_path: Path) -> None:
    """And ends with the table of the search that was never killed where its order does not matter."""
    spec = toy_spec(seeds=2, **METHODS[method])
    whole = run_three_at_a_time(open_search(spec, tmp_path / "whole"), order=0)
    for most in (3, 11, 29):
        path = tmp_path / str(most)
        begun = run_three_at_a_time(open_search(spec, path), order=0, most=most)
        table = run_three_at_a_time(open_search(spec, path), order=1)
        assert [configuration(row) for row in begun] == [configuration(row) for row in table[: len(begun)]]
        told = [row for row in begun if row["state"] != "incomplete"]
        assert all(of_its_own(row) in map(of_its_own, table) for row in told)
        assert method not in ANY_ORDER or whole == table


def configuration(row: Row) -> tuple[str, str, str]:
    return row["trial"], row["x"], row["y"]


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        (LEARNS, "its sampler, tpe, learns"),
        ({"sampler": "random", **PRUNES, "race": True}, "it prunes and it races"),
        ({"sampler": "random"}, None),
    ],
)
def test_another_concurrency_amid_a_search_that_follows_the_order_is_warned_of(
    changes: dict[str, Any], warned: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = toy_spec(seeds=2, concurrency=2, **changes)
    wider = spec.model_copy(update={"concurrency": 3})
    for one in (spec, wider):  # of a search that has tried nothing yet
        open_search(one, tmp_path / "new").close()
    run_three_at_a_time(open_search(spec, tmp_path / "run"), order=0, most=5)
    open_search(spec, tmp_path / "run").close()
    assert not caplog.messages

    for _ in range(2):  # the second time it is the number that the search has
        open_search(wider, tmp_path / "run").close()

    start = f"{tmp_path}/run: concurrency: 2 > 3 amid the search: {warned}, so what it does from here on depends on"
    assert [warned is not None] * len(caplog.messages) == [line.startswith(start) for line in caplog.messages]
    assert (0 if warned is None else 1) == len(caplog.messages)


def test_the_command_line_warns_in_one_line_and_goes_on(tmp_path: Path) -> None:
    space = {"x": {"uniform": [-1, 1]}}
    search = written(tmp_path / "s.yaml", toy_search(sampler="tpe", startup_trials=2, space=space, trials=3))
    words = ("search", "--space", search, "--runs", tmp_path / "runs")
    assert 0 == orchestrate_here(*words).returncode
    more = orchestrate(*words, "--trials", 4, "--concurrency", 3, "--executor", "in-process")
    assert 0 == more.returncode
    (line,) = more.stderr.splitlines()
    assert "concurrency: 1 > 3 amid the search: its sampler, tpe, learns" in line
