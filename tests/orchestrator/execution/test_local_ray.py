"""The private Ray: its token is a file of the user's alone, in no argument and no log, and nothing stays."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.execution.private_ray import TOKEN_PATH
from orchestrator.history.driver_lock import is_held
from orchestrator.history.run_folder import RunFolder
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.folders import files_below
from tests.paced_task import Pace

pytestmark = pytest.mark.slow


def test_the_token_is_private_and_nothing_is_left_when_the_search_is_over(tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    run = RunFolder(tmp_path / "runs" / "toy")
    with at_work(search_of(tmp_path, pace), pace, stdout=subprocess.DEVNULL) as driver:
        wait_for(run.path / "trials" / "0" / "seed0-fold0" / "steps.log")
        children = seen(psutil.Process(driver.pid).children(recursive=True))
        environments = [environment for _words, environment in children.values()]
        temp = Path(next(path for environment in environments if (path := environment.get(TOKEN_PATH)))).parent
        token_file = temp / "token"
        token = token_file.read_text()
        assert is_held(run)
        assert (0o600, 0o700) == (token_file.stat().st_mode & 0o777, temp.stat().st_mode & 0o777)
        assert len(str(temp)) <= 40
        assert len(children) >= 3
        for words, environment in children.values():
            assert token not in " ".join(words)
            assert token not in str(environment)
        logs = [path for path in files_below(temp) if path != token_file]
        assert logs
        assert not [path for path in logs if token.encode() in content_of(path)]
        pace.allow()
        assert 0 == driver.wait(timeout=120)
    assert token not in run.journal.read_text()
    assert not temp.exists()
    assert not [child for child in children if lives(child)]
    assert not is_held(run)


def test_nothing_of_it_can_be_reached_from_another_machine(tmp_path: Path) -> None:
    """GCS, raylet, workers and the driver itself: whoever listens does so on the loopback address."""
    pace = Pace(tmp_path)
    with at_work(search_of(tmp_path, pace), pace, stdout=subprocess.DEVNULL) as driver:
        wait_for(tmp_path / "runs" / "toy" / "trials" / "0" / "seed0-fold0" / "steps.log")
        process = psutil.Process(driver.pid)
        there = [one for each in (process, *process.children(recursive=True)) for one in listening(each)]
        pace.allow()
        assert 0 == driver.wait(timeout=120)
    assert len(there) >= 4
    assert {"127.0.0.1"} == {address.removeprefix("::ffff:") for address in there}


def listening(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return [one.laddr.ip for one in process.net_connections(kind="tcp") if one.status == psutil.CONN_LISTEN]
    return []


def test_two_drivers_of_one_run_are_refused_and_an_interrupted_one_ends_cleanly(tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    command = search_of(tmp_path, pace)
    with at_work(command, pace, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        wait_for(tmp_path / "runs" / "toy" / "trials" / "0" / "seed0-fold0" / "steps.log")
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert 1 == second.returncode
        assert "another driver" in second.stderr
        first.terminate()
        _out, said = first.communicate(timeout=120)
    assert 143 == first.returncode
    assert "interrupted; nothing is lost: the same command goes on\n" == said


def search_of(folder: Path, pace: Pace) -> list[str]:
    space = written(folder / "toy.yaml", toy_search(task=pace.task()))
    words = ["search", "--space", str(space), "--runs", str(folder / "runs")]
    return [sys.executable, "-m", "orchestrator.cli", *words]


@contextlib.contextmanager
def at_work(command: list[str], pace: Pace, **pipes: int) -> Iterator[subprocess.Popen[str]]:
    """A driver whose fits wait in their first step; whatever the test comes to, they go on in the end."""
    with subprocess.Popen(command, text=True, **pipes) as driver:
        try:
            yield driver
        finally:
            pace.allow()


def seen(processes: list[psutil.Process]) -> dict[psutil.Process, tuple[list[str], dict[str, str]]]:
    """The words and the environment of each process that has not just ended."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            found[process] = (process.cmdline(), process.environ())
    return found


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def content_of(path: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):  # Ray removes files as it goes
        return path.read_bytes()
    return b""


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 180
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def test_another_ray_of_the_users_is_not_joined_and_its_token_not_used(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    other = {"RAY_ADDRESS": "127.0.0.1:1", "RAY_AUTH_TOKEN": "somebody-elses"}
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs", **other)
    assert 0 == done.returncode, done.stderr
