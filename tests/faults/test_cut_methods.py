"""Each way to sample, to prune, to race, in a journal that is cut at ten places: the search goes on as it would have.

test_cut_journal.py cuts at every record, for a grid and for TPE with successive halving.
"""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.records import Ask, State
from orchestrator.search.search import Search
from orchestrator.specs.specs import SearchSpec
from tests.faults.test_cut_journal import assert_nothing_lost_and_nothing_twice, run_in_turn, untimed
from tests.orchestrator.in_process import open_search, toy_spec

SPACE = {
    "x": {"uniform": [-1, 1], "prior": 0.5},
    "kind": {"choice": ["plain", "bent"]},
    "turns": {"integer": [1, 4], "when": {"kind": "bent"}},
}
METHODS: dict[str, dict[str, Any]] = {
    "plain tpe": {"tpe": {"multivariate": False, "group": False, "constant_liar": False}},
    "tpe in groups": {"startup": "qmc"},
    "gp": {"sampler": "gp", "trials": 6},
    "random": {"sampler": "random"},
    "grid": {"sampler": "grid", "trials": None, "space": {"x": {"choice": [0.5, 0.0, -0.5]}, "y": {"choice": [0, 1]}}},
    "hyperband": {"prune": {"hyperband": {"min_steps": 1, "factor": 2}}},
    "median": {"prune": {"median": {"startup_trials": 2, "warmup_steps": 1}}},
    "race": {"race": True},
    "race of survivors": {"race": True, "prune": {"successive_halving": {"min_steps": 1, "factor": 2}}},
    "window": {"window": 10, "trials": 16},
    "steps": {"space": {**SPACE, "max_steps": {"choice": [2, 3, 6]}}, "prune": {"median": {"startup_trials": 2}}},
}


def spec_of(method: str) -> SearchSpec:
    plain: dict[str, Any] = {"trials": 10, "startup_trials": 4, "baseline": True, "max_steps": 3, "space": SPACE}
    return toy_spec(seeds=3, folds=1, **{**plain, **METHODS[method]})


def cut_ten_times(spec: SearchSpec, run: Path, *, at_a_time: int) -> tuple[Search, list[bytes]]:
    """A finished search, and what may have been left of its journal at ten moments."""
    finished = run_in_turn(open_search(spec, run), at_a_time)
    lines = finished.folder.journal.read_bytes().splitlines(keepends=True)
    return finished, [b"".join(lines[: 1 + part * (len(lines) - 1) // 10]) for part in range(10)]


@pytest.mark.parametrize("method", METHODS)
def test_one_fit_at_a_time_it_comes_to_an_equal_table(method: str, tmp_path: Path) -> None:
    spec = spec_of(method)
    smooth, journals = cut_ten_times(spec, tmp_path / "run", at_a_time=1)
    if spec.prune or spec.race:
        assert State.PRUNED in {trial.state for trial in smooth.ledger.told()}
    for left in journals:
        smooth.folder.journal.write_bytes(left)
        assert untimed(smooth) == untimed(run_in_turn(open_search(spec, tmp_path / "run"), 1))


@pytest.mark.parametrize("method", METHODS)
def test_three_fits_at_a_time_it_loses_no_fit_runs_none_twice_and_decides_alike(method: str, tmp_path: Path) -> None:
    spec = spec_of(method)
    smooth, journals = cut_ten_times(spec, tmp_path / "run", at_a_time=3)
    for left in journals:
        smooth.folder.journal.write_bytes(left)
        search = run_in_turn(open_search(spec, tmp_path / "run"), 3)
        assert_nothing_lost_and_nothing_twice(search)
        open_search(spec, tmp_path / "run").close()  # compares every decision with the journal's


@pytest.mark.parametrize("method", ["plain tpe", "tpe in groups", "gp", "hyperband"])
def test_a_suggestion_made_beside_running_trials_is_made_again_after_a_crash(method: str, tmp_path: Path) -> None:
    """The journal is cut before each record of an asked trial; whoever goes on asks for the same configuration."""
    spec = spec_of(method)
    smooth, _journals = cut_ten_times(spec, tmp_path / "run", at_a_time=3)
    lines = smooth.folder.journal.read_bytes().splitlines(keepends=True)
    asked = [(at, r) for at, (r, _at) in enumerate(smooth.journal.entries) if isinstance(r, Ask) and r.trial]
    for at, record in asked:
        smooth.folder.journal.write_bytes(b"".join(lines[:at]))
        search = open_search(spec, tmp_path / "run")
        while len(search.ledger.trials) <= record.trial and search.next_fit():
            pass
        search.close()
        assert record.config == search.ledger.trials[record.trial].config
