"""The private Ray: its token is a file of the user's alone, in no argument and no log, and nothing stays."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.execution.private_ray import TOKEN_PATH
from orchestrator.history.driver_lock import is_held
from orchestrator.history.run_folder import RunFolder
from tests.orchestrator.command import orchestrate, toy_search, written

pytestmark = pytest.mark.slow


def test_the_token_is_private_and_nothing_is_left_when_the_search_is_over(tmp_path: Path) -> None:
    task = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.5}}
    space = written(tmp_path / "toy.yaml", toy_search(task=task))
    run = RunFolder(tmp_path / "runs" / "toy")
    words = ["search", "--space", str(space), "--runs", str(tmp_path / "runs")]
    with subprocess.Popen([sys.executable, "-m", "orchestrator.cli", *words], stdout=subprocess.DEVNULL) as driver:
        wait_for(run.path / "trials" / "0" / "seed0-fold0" / "steps.log")
        children = psutil.Process(driver.pid).children(recursive=True)
        temp = Path(next(path for child in children if (path := child.environ().get(TOKEN_PATH)))).parent
        token_file = temp / "token"
        token = token_file.read_text()
        assert is_held(run)
        assert (0o600, 0o700) == (token_file.stat().st_mode & 0o777, temp.stat().st_mode & 0o777)
        assert len(str(temp)) <= 40
        assert len(children) >= 3
        for child in children:
            assert token not in " ".join(child.cmdline())
            assert token not in str(child.environ())
        logs = [path for path in temp.rglob("*") if path.is_file() and path != token_file]
        assert not [path for path in logs if token.encode() in path.read_bytes()]
        assert 0 == driver.wait(timeout=120)
    assert token not in run.journal.read_text()
    assert not temp.exists()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not is_held(run)


def test_two_drivers_of_one_run_are_refused_and_an_interrupted_one_ends_cleanly(tmp_path: Path) -> None:
    task = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.5}}
    space = written(tmp_path / "toy.yaml", toy_search(task=task))
    command = [
        sys.executable,
        "-m",
        "orchestrator.cli",
        "search",
        "--space",
        str(space),
        "--runs",
        str(tmp_path / "runs"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        wait_for(tmp_path / "runs" / "toy" / "trials" / "0" / "seed0-fold0" / "steps.log")
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert 1 == second.returncode
        assert "another driver" in second.stderr
        first.terminate()
        _out, said = first.communicate(timeout=60)
    assert 130 == first.returncode
    assert "interrupted; nothing is lost: the same command goes on\n" == said


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def test_another_ray_of_the_users_is_not_joined_and_its_token_not_used(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    other = {"RAY_ADDRESS": "127.0.0.1:1", "RAY_AUTH_TOKEN": "somebody-elses"}
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs", **other)
    assert 0 == done.returncode, done.stderr
