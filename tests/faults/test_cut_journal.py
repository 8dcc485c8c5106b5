"""A driver may die between any two records and amid any: what it left is a journal cut there, and the search goes on.

The journal of a finished search is cut after each of its records, and amid each, and the search opened again. Fits run
in this process, one at a time or three in turn; test_kills kills real drivers of a real Ray.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.journal import read_journal
from orchestrator.history.records import End, FitKey, Reported, Start, Tell
from orchestrator.results.table import rows_of
from orchestrator.search.search import Search
from orchestrator.search.selection import winner_of
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Fit, Metrics
from tests.orchestrator.in_process import open_search, toy_spec
from tests.toy_task import ToyTask

Step = tuple[int, Metrics, str | None]
SPACES: dict[str, dict[str, Any]] = {
    "grid": {
        "sampler": "grid",
        "trials": None,
        "max_steps": 2,
        "space": {"x": {"uniform": [-1, 1], "step": 1}, "y": {"choice": [0, 0.5]}},
    },
    "tpe": {"trials": 6, "startup_trials": 3, "prune": {"successive_halving": {"min_steps": 1, "factor": 2}}},
}


def steps_of(fit: Fit) -> Iterator[Step]:
    fit.directory.mkdir(parents=True, exist_ok=True)
    steps: list[Step] = []
    ToyTask().fit(fit, lambda step, metrics, checkpoint=None: steps.append((step, metrics, checkpoint)))
    return iter(steps)


def run_in_turn(search: Search, at_a_time: int) -> Search:
    """Run so many fits at a time, a step of each in turn."""
    running: dict[FitKey, Iterator[Step]] = {}
    while True:
        while len(running) < at_a_time and (following := search.next_fit()):
            running[following[0]] = steps_of(following[1])
        if not running:
            search.close()
            return search
        for key, steps in list(running.items()):
            step = next(steps, None)
            if step is None or search.reported(key, *step):
                search.returned(key)
                del running[key]


def cuts(journal: Path) -> Iterator[bytes]:
    """What may be left of a journal: its first lines, and its first lines with a half one."""
    lines = journal.read_bytes().splitlines(keepends=True)
    for number in range(1, len(lines)):
        whole = b"".join(lines[:number])
        yield whole
        yield whole + lines[number][: len(lines[number]) // 2]


def gone_on(spec: SearchSpec, run: Path, *, at_a_time: int) -> Iterator[Search]:
    """Each of the searches that go on from a cut journal of one that was finished."""
    finished = run_in_turn(open_search(spec, run), at_a_time)
    whole = finished.folder.journal.read_bytes()
    assert len(finished.journal.entries) > 40
    for left in list(cuts(finished.folder.journal)):
        finished.folder.journal.write_bytes(left)
        yield run_in_turn(open_search(spec, run), at_a_time)
        finished.folder.journal.write_bytes(whole)


def untimed(search: Search) -> list[dict[str, str]]:
    return [{**row, "seconds": ""} for row in rows_of(search.ledger, alive=False)]


@pytest.mark.parametrize("method", ["grid", "tpe"])
def test_one_fit_at_a_time_a_journal_cut_anywhere_leads_to_the_table_of_an_uninterrupted_search(
    method: str, tmp_path: Path
) -> None:
    spec = toy_spec(seeds=2, folds=1, **SPACES[method])
    smooth = run_in_turn(open_search(spec, tmp_path / "smooth"), 1)
    table, winner = untimed(smooth), winner_of(smooth.ledger, smooth.folder)
    for search in gone_on(spec, tmp_path / "cut", at_a_time=1):
        assert table == untimed(search)
        assert replace(winner, search="cut") == winner_of(search.ledger, search.folder)


def assert_nothing_lost_and_nothing_twice(search: Search) -> None:
    """Every fit that was started ended once, every step was reported once, every trial was told once."""
    records = [record for record, _at in read_journal(search.folder.journal)]
    ends = Counter((r.trial, r.seed, r.fold) for r in records if isinstance(r, End))
    reports = Counter((r.trial, r.seed, r.fold, r.step) for r in records if isinstance(r, Reported))
    assert {(r.trial, r.seed, r.fold) for r in records if isinstance(r, Start)} == set(ends)
    assert {1} == set(ends.values()) == set(reports.values())
    assert list(range(search.total)) == sorted(r.trial for r in records if isinstance(r, Tell))


@pytest.mark.parametrize("method", ["grid", "tpe"])
def test_three_fits_at_a_time_a_journal_cut_anywhere_loses_no_fit_and_runs_none_twice(
    method: str, tmp_path: Path
) -> None:
    spec = toy_spec(seeds=2, folds=1, **SPACES[method])
    smooth = untimed(run_in_turn(open_search(spec, tmp_path / "smooth"), 3))
    for search in gone_on(spec, tmp_path / "cut", at_a_time=3):
        assert_nothing_lost_and_nothing_twice(search)
        assert method != "grid" or smooth == untimed(search)
