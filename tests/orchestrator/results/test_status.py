"""Where a run stands, read from its journal while it runs and after."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.status import SearchStatus, status_of
from orchestrator.search.search import Search
from tests.orchestrator.chained import chained, lines_of
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec


def begun(path: Path) -> Search:
    """A search of two fits at work, of which the first has done a step."""
    search = open_search(toy_spec(trials=2), path)
    for _ in range(2):
        key, _fit = search.next_fit() or (None, None)
        assert key is not None
        if key.trial == 0:
            search.reported(key, 1, {"score": 0.5}, None)
    search.close()
    return search


def seen(path: Path, *, driven: bool) -> SearchStatus:
    (status,) = status_of(RunFolder(path), driven=driven)
    return status


def test_of_a_running_search_it_names_the_fits_at_work_and_since_when_each_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "run"
    begun(path)
    earlier = (datetime.now(UTC) - timedelta(seconds=90)).isoformat(timespec="milliseconds")
    journal = RunFolder(path).journal
    journal.write_bytes(chained([{**line, "at": earlier} for line in lines_of(journal.read_bytes())]))
    status = seen(path, driven=True)
    found = [re.fullmatch(r"(.+) \(silent for (\d+) s\)", line) for line in status.running]
    assert ["trial 0 seed 0 fold 0 step 1", "trial 1 seed 0 fold 0 step 0"] == [one.group(1) for one in found if one]
    assert all(90 <= int(one.group(2)) <= 150 for one in found if one)
    assert "; at work: trial 0 seed 0 fold 0 step 1 (silent for " in status.line()


def test_a_fit_that_waits_for_another_worker_is_not_at_work(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=2), tmp_path)
    keys = [following[0] for _ in range(2) if (following := search.next_fit())]
    search.lost(keys[0], "killed")
    search.next_fit(waits=True)
    search.close()
    (line,) = seen(tmp_path, driven=True).running
    assert line.startswith("trial 1 seed 0 fold 0 step 0 (silent for ")


def test_of_an_interrupted_search_nothing_is_at_work(tmp_path: Path) -> None:
    begun(tmp_path / "run")
    status = seen(tmp_path / "run", driven=False)
    assert ("interrupted", [], {"running": 2}) == (status.state, status.running, status.trials)


def test_of_a_finished_search_it_names_the_best(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=4, mode="min", metric="loss"), tmp_path / "run"))
    status = seen(tmp_path / "run", driven=False)
    best = min((trial.value or 0.0, trial.number) for trial in search.ledger.told())
    assert ("finished", best) == (status.state, (status.best, status.best_trial))
    assert {} == status.failures
