"""What the tests of faults ask for: a run to strike, what comes of it when nothing happens, and a row of the table."""

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.fault_table import Row
from tests.faults.toy_run import Done, ToyRun

LONGEST = 100  # characters of what was said


class Judge(Protocol):
    """Asserts what came of a fault, and writes the row that says so."""

    def __call__(
        self,
        fault: str,
        run: ToyRun,
        *,
        known: bytes,
        lost: int,
        said: Done,
        code: int,
        words: str = "",
        then: Done | None = None,
    ) -> None: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that writes a row of the table, which asks for one of these."""
    for item in items:
        if {"judge", "mounted"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("fault")


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store for all runs, so that not each of them makes one."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def short_temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for all that Ray leaves; its sockets leave no room for a long path."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as short:
        monkeypatch.setenv("TMPDIR", short)
        yield Path(short)


@pytest.fixture(params=[1, 3], ids=["one-at-a-time", "three-at-a-time"])
def at_a_time(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def run(tmp_path: Path, at_a_time: int, mlflow_store: str) -> ToyRun:
    return ToyRun(tmp_path, at_a_time, mlflow_store)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, mlflow_store: str) -> Callable[[int], list[dict[str, str]]]:
    """What comes of a run of so many fits at a time to which nothing happens."""
    known: dict[int, list[dict[str, str]]] = {}

    def outcome(at_a_time: int) -> list[dict[str, str]]:
        if at_a_time not in known:
            run = ToyRun(tmp_path_factory.mktemp("undisturbed"), at_a_time, mlflow_store)
            done = run.gone_on()
            assert 0 == done.returncode, done.stderr
            known[at_a_time] = run.outcome()
        return known[at_a_time]

    return outcome


@pytest.fixture(scope="session")
def left_by_a_kill(tmp_path_factory: pytest.TempPathFactory, mlflow_store: str) -> Callable[[int], ToyRun]:
    """What a kill left of a run that was at work on as many fits at a time as it has."""
    known: dict[int, ToyRun] = {}

    def left(at_a_time: int) -> ToyRun:
        if at_a_time not in known:
            known[at_a_time] = ToyRun(tmp_path_factory.mktemp("left"), at_a_time, mlflow_store)
            done = known[at_a_time].struck("report-continue:10:after", ray=at_a_time > 1)
            assert -9 == done.returncode, done.stderr
        return known[at_a_time]

    return left


@pytest.fixture
def left(left_by_a_kill: Callable[[int], ToyRun], at_a_time: int, tmp_path: Path) -> ToyRun:
    """A run that a kill ended amid its work, in a folder of the test's own."""
    return left_by_a_kill(at_a_time).copied_to(tmp_path)


@pytest.fixture
def judge(request: pytest.FixtureRequest, undisturbed: Callable[[int], list[dict[str, str]]]) -> Judge:
    """Judge a run that came to its end after a fault.

    known: the journal as it was before or right after the fault; lost: how many of its events may be gone;
    said: what the command that met the fault said; then: what the next one did, where it was killed.
    """

    def judged(
        fault: str,
        run: ToyRun,
        *,
        known: bytes,
        lost: int,
        said: Done,
        code: int,
        words: str = "",
        then: Done | None = None,
    ) -> None:
        assert code == said.returncode, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        assert words in said.stderr
        assert lost == run.lost_of(known)
        run.assert_nothing_twice_and_no_fit_lost()
        assert undisturbed(run.at_a_time) == run.outcome()
        told = f"exit {code}: {line_with(words, said, run)}"
        if then is not None:
            told = f"killed; then: {line_with('', then, run)}"
        row = Row(
            fault=fault,
            fits_at_a_time=str(run.at_a_time),
            what_was_said=told.removesuffix("; then: ").removesuffix(": "),
            lost={0: "nothing", 1: "the last event"}.get(lost, f"{lost} events, done again"),
            equal_table="yes",
        )
        row.attach(request.node)

    return judged


def line_with(words: str, said: Done, run: ToyRun) -> str:
    """The first line of what was said in which these words are."""
    line = next((line for line in said.stderr.splitlines() if words in line), "").replace(f"{run.folder}/", "")
    return re.sub(r"\s+", " ", line)[:LONGEST]
