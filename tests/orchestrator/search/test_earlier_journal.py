"""A journal that an earlier version of the program wrote goes on as if that version had gone on itself.

`journal_of_2026_11.jsonl` is of the toy task: TPE with successive halving in two studies, two seeds, one fit at a time;
written by the command line before the packages were divided into rooms.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import SearchBegun
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.table import Row, rows_of
from orchestrator.search.search import Search
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import SearchSpec, as_data, as_today, by_rules_of, differences
from orchestrator.task import Fit
from tests.orchestrator.in_process import open_search, toy_spec
from tests.toy_task import ToyTask

EARLIER = Path(__file__).parent / "journal_of_2026_11.jsonl"


def table(path: Path) -> list[Row]:
    rows = rows_of(Ledger(read_journal(path)), alive=False)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_the_file_that_began_it_still_means_the_same_search() -> None:
    begun = read_journal(EARLIER)[0][0]
    assert isinstance(begun, SearchBegun)
    written = SearchSpec.model_validate({key: value for key, value in begun.spec.items() if key != "facts"})
    today = {key: value for key, value in as_today(begun.spec).items() if key != "facts"}
    assert [] == list(differences(today, as_data(by_rules_of(begun.spec, written))))
    assert list(differences(today, as_data(written))), "were it begun today, it would go by other rules"


@pytest.mark.parametrize("kept", [1, 2, 4, 30, 77, 110, 124])  # lines: amid a fit, a trial, between trials, at the end
def test_it_goes_on_to_the_table_that_it_led_to(tmp_path: Path, kept: int) -> None:
    spec = Ledger(read_journal(EARLIER)).spec
    assert spec is not None
    (tmp_path / "run").mkdir()
    lines = EARLIER.read_text().splitlines(keepends=True)
    (tmp_path / "run" / "journal.jsonl").write_text("".join(lines[:kept]))

    search = open_search(spec, tmp_path / "run")
    InProcessExecutor().execute(search)
    search.close()

    assert search.is_finished
    assert table(tmp_path / "run" / "journal.jsonl") == table(EARLIER)


def first_fit(search: Search) -> Fit:
    following = search.next_fit()
    assert following is not None
    search.close()
    return following[1]


def test_a_search_goes_on_with_the_defaults_with_which_it_began(tmp_path: Path) -> None:
    """A later version may have better ones; half a table by these and half by those would be no table."""
    spec = toy_spec(trials=3, sampler="random", space={"x": {"uniform": [-1, 1]}})
    assert 0.0 == first_fit(open_search(spec, tmp_path / "run")).config["y"]
    later = replace(ToyTask().parameters()["y"], default=0.5)
    facts = TaskFacts(parameters={**ToyTask().parameters(), "y": later}, folds=1, data="toy")

    def fit_of_a_later_version(name: str) -> Fit:
        return first_fit(Search(spec, RunFolder(tmp_path / name), facts=facts, incarnation="later"))

    assert 0.0 == fit_of_a_later_version("run").config["y"]
    assert 0.5 == fit_of_a_later_version("another").config["y"]
