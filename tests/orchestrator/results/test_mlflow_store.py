"""MLflow's store: begun by many at once, left half migrated, or away. None of that costs a run anything."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy
from alembic.script import ScriptDirectory
from mlflow.store.db import utils

from orchestrator.results.mlflow_database import Unusable, alone_with
from orchestrator.results.mlflow_surroundings import PATIENCE_S, within
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

OPEN = """
import sys
from pathlib import Path
from orchestrator.results.mlflow_store import open_store
with open_store(Path(sys.argv[1]), write=True) as store:
    store.experiment(sys.argv[2], artifacts=Path("/tmp"))
"""
# Dies after the statements of MLflow's 12th migration, before it is written down that it is done.
KILLED = """
import os, sys
from alembic.runtime.migration import HeadMaintainer
begun, step = [], HeadMaintainer.update_to_step
def dying(*given):
    begun.append(given)
    if len(begun) == 12:
        os.kill(os.getpid(), 9)
    step(*given)
HeadMaintainer.update_to_step = dying
"""
MLFLOWS_OWN = "import mlflow; mlflow.MlflowClient(f'sqlite:///{sys.argv[1]}/mlflow.db')\n"


def python(code: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], stderr=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def search(tmp_path: Path) -> tuple[object, ...]:
    space = written(tmp_path / "s.yaml", toy_search(folds=1, space={"x": 0.3}))
    return ("search", "--space", space, "--runs", tmp_path / "runs")


@pytest.fixture(scope="module")
def left_by_a_kill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as MLflow leaves it, that is killed amid its migrations: it refuses that itself ever after."""
    runs = tmp_path_factory.mktemp("killed")
    killed = python(KILLED + MLFLOWS_OWN, runs)
    killed.communicate()
    assert -9 == killed.returncode
    again = python("import sys;" + MLFLOWS_OWN, runs)
    assert "duplicate column" in again.communicate()[1]
    return runs / "mlflow.db"


@pytest.fixture
def half_migrated(left_by_a_kill: Path, tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return Path(shutil.copy(left_by_a_kill, tmp_path / "runs" / "mlflow.db"))


def test_five_that_begin_one_store_at_once_all_have_their_experiment_in_it(tmp_path: Path) -> None:
    starts = [python(OPEN, tmp_path, f"run{number}") for number in range(5)]
    assert [""] * 5 == [start.communicate()[1] for start in starts]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store:
        names = {name for (name,) in store.execute("SELECT name FROM experiments")}
    assert {"Default", *(f"run{number}" for number in range(5))} == names


def test_a_kill_amid_the_migrations_leaves_the_store_as_it_was(tmp_path: Path, search: tuple[object, ...]) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    killed = python(KILLED + OPEN, runs, "mine")
    killed.communicate()
    assert -9 == killed.returncode
    assert 0 == (runs / "mlflow.db").stat().st_size
    done = orchestrate_here(*search)
    assert (0, "") == (done.returncode, done.stderr)
    assert f"MLflow sqlite:///{runs}/mlflow.db" in done.stdout
    assert {"s", "mlflow", "mlflow.db", "mlflow.db.lock"} == {path.name for path in runs.iterdir()}


def test_a_store_that_was_left_half_migrated_is_set_aside_whole_and_that_is_said(
    half_migrated: Path, search: tuple[object, ...]
) -> None:
    before = half_migrated.read_bytes()
    done = orchestrate_here(*search)
    assert 0 == done.returncode, done.stderr
    (kept,) = half_migrated.parent.glob("mlflow.db.half-migrated-*")
    assert before == kept.read_bytes()
    assert f"all that it holds is kept in {kept.name}" in done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert f"MLflow sqlite:///{half_migrated}" in done.stdout
    assert "" == orchestrate_here(*search).stderr
    assert 0o600 == half_migrated.stat().st_mode & 0o777


def test_a_half_migrated_store_that_the_user_named_is_left_to_the_user(
    half_migrated: Path, search: tuple[object, ...]
) -> None:
    before = half_migrated.read_bytes()
    done = orchestrate_here(*search, MLFLOW_TRACKING_URI=f"sqlite:///{half_migrated}")
    assert 0 == done.returncode, done.stderr
    assert "since you named it, it is left as it is" in done.stderr
    assert before == half_migrated.read_bytes()


def test_a_store_of_an_earlier_mlflow_is_brought_up_with_all_that_it_holds(tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/mlflow.db")
    utils.InitialBase.metadata.create_all(engine)
    config = utils._get_alembic_config(str(engine.url))
    scripts = ScriptDirectory.from_config(config)
    before_the_last = scripts.get_revision(scripts.get_current_head()).down_revision
    alembic.command.upgrade(config, before_the_last)
    with engine.begin() as store:
        store.execute(sqlalchemy.text("INSERT INTO experiments (experiment_id, name) VALUES (7, 'old')"))
    engine.dispose()

    assert "" == python(OPEN, tmp_path, "new").communicate()[1]

    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store:
        assert {"Default", "old", "new"} == {name for (name,) in store.execute("SELECT name FROM experiments")}
        assert [(scripts.get_current_head(),)] == list(store.execute("SELECT version_num FROM alembic_version"))
    assert {"mlflow", "mlflow.db", "mlflow.db.lock"} == {path.name for path in tmp_path.iterdir()}


def test_a_file_that_is_no_store_is_left_as_it_is(tmp_path: Path, search: tuple[object, ...]) -> None:
    other = tmp_path / "other.db"
    other.write_text("no database at all, but somebody's notes\n" * 50)
    done = orchestrate_here(*search, MLFLOW_TRACKING_URI=f"sqlite:///{other}")
    assert 0 == done.returncode
    assert "file is not a database" in done.stderr
    assert other.read_text().startswith("no database")


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("server", ["silent", "nobody"])
def test_a_server_that_is_away_costs_the_run_one_line_and_the_copy_is_made_later(
    search: tuple[object, ...], tmp_path: Path, request: pytest.FixtureRequest, server: str
) -> None:
    away = {"MLFLOW_TRACKING_URI": request.getfixturevalue(server), "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}
    began = time.monotonic()
    done = orchestrate_here(*search, **away)
    assert 60 > time.monotonic() - began, "MLflow by itself asks for minutes"
    assert 0 == done.returncode
    (line,) = done.stderr.splitlines()
    assert f"MLflow at {away['MLFLOW_TRACKING_URI']} has no whole copy of s" in line
    assert "`orchestrate sync s` copies it" in line
    assert "MLflow" not in done.stdout
    as_json = orchestrate_here(*search, "--json", **away)
    assert "finished" == json.loads(as_json.stdout)[0]["state"]
    assert 1 == len(as_json.stderr.splitlines())

    orchestrate_here(*search, "--name", "other", **away)
    waited = orchestrate_here("sync", "--runs", tmp_path / "runs", **away)
    assert 1 == waited.returncode
    assert 1 == len(waited.stderr.splitlines()), "one store is away once, however many runs it lacks"

    later = orchestrate_here("sync", "--runs", tmp_path / "runs")
    assert 0 == later.returncode, later.stderr
    assert {"s", "other"} == {line.partition(":")[0] for line in later.stdout.splitlines()}


def test_a_store_is_given_20_s_whatever_it_does_instead_of_answering() -> None:
    assert 20 == PATIENCE_S
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.2 s"):
        within(0.2, lambda: time.sleep(60))
    assert 20 > time.monotonic() - began
    with pytest.raises(KeyError):
        within(5, lambda: {}["not there"])
    assert "answer" == within(5, lambda: "answer")


def test_a_copy_waits_for_another_into_the_same_store_and_not_for_ever(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    holding = f"import time; from pathlib import Path; from {alone_with.__module__} import alone_with\n"
    holding += f"with alone_with(Path({str(database)!r})): print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert other.stdout is not None
    assert "held\n" == other.stdout.readline()
    with pytest.raises(Unusable, match="others have been copying into"), alone_with(database, wait_s=0.2):
        pass
    other.kill()
    other.communicate()
    with alone_with(database, wait_s=5):
        pass
