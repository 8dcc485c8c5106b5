"""A test part is opened once, by whichever run, or says how often: known by its records, asked when it is opened."""

import fcntl
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import RunFailed, UserError
from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.execution.session import Session, open_session
from orchestrator.history import records
from orchestrator.history.journal import read_journal
from orchestrator.history.openings import read_test
from orchestrator.history.register import Registered, read_register, register_missing
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.table import note_on_openings
from orchestrator.runs.final_run import make_final, set_aside_if_tested
from orchestrator.runs.preparation import refuse_second_look
from orchestrator.runs.search_run import run_search
from orchestrator.specs.specs import FinalSpec, SearchSpec
from tests.orchestrator.chained import chained, lines_of
from tests.orchestrator.in_process import toy_spec
from tests.toy_task import SealedToyTask

OPENED = "the test part of this data was opened on 20"


@pytest.fixture(autouse=True)
def nothing_happens() -> Iterator[None]:
    yield
    SealedToyTask.while_final.clear()
    SealedToyTask.while_tested.clear()


class Bench:
    """Runs of one folder, on data of one place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.register = folder / "openings.jsonl"

    def spec(self, sealed: str = "a,b", **given: Any) -> SearchSpec:
        task = {"name": "tests.toy_task:SealedToyTask", "with": {"records": sealed, "place": str(self.folder), **given}}
        return toy_spec(task=task, trials=1, sampler="random", max_steps=2, space={"x": {"uniform": [0, 1]}})

    def searched(self, name: str, sealed: str = "a,b", *, runs: str = "runs", **given: Any) -> RunFolder:
        run = RunFolder(self.folder / runs / name)
        with session(run) as here:
            run_search(self.spec(sealed, **given), run, here)
        return run


def session(run: RunFolder) -> Any:
    return open_session(run, nullcontext(InProcessExecutor(keep_output=True)), quiet=True)


def made_of(run: RunFolder, *, seeds: int = 1, reopen: bool = False) -> dict[str, Any]:
    here: Session
    with session(run) as here:
        how = FinalSpec(stages=[run.name], seeds=seeds)
        return make_final([run], run.final, how=how, session=here, reopen=reopen)


def opened(run: RunFolder) -> int:
    """How often the task's test was really called, in this final."""
    log = run.final.path / "opened.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_same_records_in_other_data_are_refused_and_then_every_result_says_how_often(bench: Bench) -> None:
    one, two = bench.searched("one"), bench.searched("two", data="other train folds")
    assert 1 == made_of(one)["openings"]
    with pytest.raises(UserError, match=f"{OPENED}.* by {one.final.path}; .* --reopen opens it again and marks it"):
        refuse_second_look(bench.spec(data="other train folds"), two.final)
    with pytest.raises(UserError, match=OPENED):
        made_of(two)
    assert 0 == opened(two)

    again = made_of(two, reopen=True)
    assert (2, 1) == (again["openings"], opened(two))
    assert "opened 2 times" in again["note"]
    assert 2 == json.loads((two.final.model / "signature.json").read_text())["test_openings"]
    assert 2 == read_test(one.final)["openings"], "its scores can be chosen among, too"
    assert "opened 2 times" in note_on_openings(one)


def test_one_shared_record_is_enough_and_the_same_data_beside_other_records_is_not(bench: Bench) -> None:
    made_of(bench.searched("one", "a,b"))
    with pytest.raises(UserError, match=r"this data, which holds some of the same records, was opened on"):
        made_of(bench.searched("two", "b,c", data="larger"))
    assert 1 == made_of(bench.searched("three", "c,d"))["openings"]


@pytest.mark.parametrize("name", ["one", "deep/down"])
def test_an_opening_is_remembered_beside_the_data_for_other_runs_folders_and_when_its_run_is_gone(
    bench: Bench, name: str
) -> None:
    first = bench.searched(name)
    made_of(first)
    with pytest.raises(UserError, match=OPENED):
        made_of(bench.searched("two", runs="elsewhere"))
    shutil.rmtree(first.path)
    with pytest.raises(UserError, match=OPENED):
        made_of(bench.searched(name))
    (line,) = read_register(bench.register)
    assert (first.final.path, {"a", "b"}) == (line.final, line.records)


def test_an_opening_is_remembered_in_its_run_where_nothing_can_be_written_beside_the_data(
    bench: Bench,
) -> None:
    away = str(bench.folder / "away")
    one = bench.searched("one", place=away)
    assert 1 == made_of(one)["openings"]
    with pytest.raises(UserError, match=OPENED):
        made_of(bench.searched("two", place=away))
    assert 1 == opened(one)


def test_of_two_runs_that_overlap_the_second_to_open_is_refused(bench: Bench) -> None:
    one, two = bench.searched("one"), bench.searched("two")
    refuse_second_look(bench.spec(), two.final)  # when the command begins, nobody has opened anything
    SealedToyTask.while_final.append(lambda: made_of(one) and None)
    with pytest.raises(UserError, match=f"{OPENED}.* by {one.final.path}"):
        made_of(two)
    assert (1, 0) == (opened(one), opened(two))
    assert [] == [record for record, _ in read_journal(two.final.journal) if isinstance(record, records.TestOpened)]
    assert 2 == made_of(two, reopen=True)["openings"], "what was trained is not lost"


@pytest.mark.parametrize("lock", ["runs/.openings.lock", "openings.jsonl"])
def test_who_opens_waits_for_another_who_does_and_then_sees_it(bench: Bench, lock: str) -> None:
    run = bench.searched("one")
    trained, failures = threading.Event(), []
    SealedToyTask.while_final.append(trained.set)

    def final() -> None:
        try:
            made_of(run)
        except UserError as error:
            failures.append(error)

    with (bench.folder / lock).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        driver = threading.Thread(target=final)
        driver.start()
        assert trained.wait(30)
        time.sleep(0.5)  # by then it has come to the lock, or beyond it if there were none
        assert 0 == opened(run)
        bench.register.touch()
        others = Registered(identity="x", at=datetime.now(UTC), final=Path("/else"), records=frozenset("a"))
        register_missing(bench.register, [others])
    driver.join(30)
    assert 1 == len(failures)
    assert 0 == opened(run)


def test_a_final_killed_while_it_tests_is_finished_by_the_same_command_and_another_must_be_asked_for(
    bench: Bench,
) -> None:
    run = bench.searched("one")
    SealedToyTask.while_tested.append(_killed)
    with pytest.raises(KeyboardInterrupt):
        made_of(run, seeds=1)
    SealedToyTask.while_tested.clear()
    with pytest.raises(UserError, match=r"(?s)has opened the test part for another model.*--reopen.*seeds: 1 > 2"):
        made_of(run, seeds=2)
    bench.register.unlink()  # as if it had been killed before it could be written down there
    refuse_second_look(bench.spec(), run.final)
    assert 1 == made_of(run, seeds=1)["openings"]
    assert 1 == len(read_register(bench.register))


def test_a_final_killed_between_its_test_and_its_model_is_finished_without_another_look(bench: Bench) -> None:
    run = bench.searched("one")
    made_of(run)
    shutil.rmtree(run.final.model)
    refuse_second_look(bench.spec(), run.final)
    assert (1, 1) == (made_of(run)["openings"], opened(run))
    assert run.final.model.is_dir()
    with pytest.raises(UserError, match=f"{OPENED}.* by {run.final.path}"):
        refuse_second_look(bench.spec(), run.final)  # it is done: whoever wants another final must ask for it


def test_so_is_one_that_opened_the_test_part_again(bench: Bench) -> None:
    made_of(bench.searched("one"))
    made_of(two := bench.searched("two"), reopen=True)
    shutil.rmtree(two.final.model)
    refuse_second_look(bench.spec(), two.final)
    assert (2, 1) == (made_of(two)["openings"], opened(two))


def test_another_final_than_the_one_killed_while_it_tested_can_be_had_and_is_marked(bench: Bench) -> None:
    run = bench.searched("one")
    SealedToyTask.while_tested.append(_killed)
    with pytest.raises(KeyboardInterrupt):
        made_of(run, seeds=1)
    SealedToyTask.while_tested.clear()
    assert 2 == made_of(run, seeds=2, reopen=True)["openings"]
    assert (run.path / "final-1" / "journal.jsonl").exists()


def test_reopen_given_again_goes_on_with_what_it_began(bench: Bench) -> None:
    """Of a cluster's driver, whose successors all have the word of the one submission."""
    run = bench.searched("one")
    made_of(run)
    set_aside_if_tested(run.final)
    SealedToyTask.while_final.append(_killed)
    with pytest.raises(KeyboardInterrupt):
        made_of(run, seeds=2, reopen=True)
    set_aside_if_tested(run.final)
    assert 2 == made_of(run, seeds=2, reopen=True)["openings"]
    assert 2 == made_of(run, seeds=2, reopen=True)["openings"], "a successor's"
    assert ["final", "final-1"] == sorted(path.name for path in run.path.glob("final*"))


def test_an_opening_of_an_earlier_version_counts_by_its_tasks_word_or_by_the_hash_of_its_data(bench: Bench) -> None:
    one = bench.searched("one", data="old")
    made_of(one)
    one.final.sealed_part.unlink()
    bench.register.unlink()
    with pytest.raises(UserError, match=OPENED):
        made_of(bench.searched("two", data="new"))
    journal = one.final.journal.read_bytes().replace(b"tests.toy_task:SealedToyTask", b"tests.gone:SealedToyTask")
    one.final.journal.write_bytes(chained(lines_of(journal)))
    with pytest.raises(UserError, match=OPENED):
        made_of(bench.searched("four", "a,b", data="old"))


def test_a_test_part_that_is_not_there_is_told_before_anything_is_trained(bench: Bench) -> None:
    run = bench.searched("one", "gone")
    with pytest.raises(UserError, match="the test part is not there; put it back"):
        refuse_second_look(bench.spec("gone"), run.final)


def test_a_register_forgets_a_torn_line_and_names_a_damaged_one(bench: Bench) -> None:
    made_of(bench.searched("one"))
    line = bench.register.read_bytes()
    bench.register.write_bytes(line + line[:30])
    assert 1 == made_of(bench.searched("two", "c"))["openings"]
    assert 2 == len(read_register(bench.register))
    bench.register.write_bytes(line[:30] + b"\n" + line)
    with pytest.raises(RunFailed, match=r"openings.jsonl:1: damaged line .* restore the file from a copy"):
        made_of(bench.searched("three", "d"))


def _killed() -> None:
    raise KeyboardInterrupt
