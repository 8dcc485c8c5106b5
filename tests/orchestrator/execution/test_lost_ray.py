"""Ray's own processes are killed or do not come up: the driver notices, starts afresh, and gives up in one sentence."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.fault_table import Row
from tests.orchestrator.execution.driven import Driver, driving, searched, undisturbed

pytestmark = pytest.mark.slow

NOT_UP = {"RAY_gcs_server_port_wait_time_s": "3"}  # Ray's own patience, which is 30 s


@pytest.mark.fault
@pytest.mark.parametrize(("part", "concurrency"), [("raylet", 1), ("gcs_server", 3), ("raylet", 3), ("gcs_server", 1)])
def test_a_part_of_ray_that_is_killed_is_noticed_in_ten_seconds_and_the_search_goes_on_to_the_same_table(
    tmp_path: Path, temp: Path, part: str, concurrency: int, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "smooth").mkdir()
    sampler = {"sampler": "tpe", "trials": 6, "startup_trials": 2, "space": {"x": {"uniform": [-1, 1]}}}
    space = searched(concurrency=concurrency, **(sampler if concurrency == 1 else {}))
    with driving(tmp_path, temp, space) as driver:
        driver.wait_until(lambda: driver.events("report") >= 3, "three steps")
        driver.part(part).kill()
        began = time.monotonic()
        driver.wait_until(lambda: "starting a fresh one" in driver.said(), "that it notices")
        assert time.monotonic() - began < 10
        outcome = driver.outcome()
    assert (0, []) == (outcome.code, outcome.left)
    assert f"Ray's {part} has died; starting a fresh one, nothing is lost\n" == outcome.said
    assert "raylet" not in (tmp_path / "output").read_text()
    assert undisturbed(tmp_path / "smooth", space) == outcome.table
    said = f"exit 0: {outcome.said.strip()}"
    Row(f"kill -9 of Ray's {part}", str(concurrency), said, "nothing", "yes").attach(request.node)


def test_a_ray_that_is_lost_again_and_again_without_a_step_ends_the_search_in_one_sentence(
    tmp_path: Path, temp: Path
) -> None:
    with driving(tmp_path, temp, searched()) as driver, struck_again_and_again(driver, "raylet", signal.SIGKILL):
        outcome = driver.outcome()
    assert (1, []) == (outcome.code, outcome.left)
    *before, last = outcome.said.splitlines()
    assert 3 == len(before)
    assert "4 times in a row without a step in between; nothing is lost" in last
    assert "the same command goes on" in last
    assert "" == (tmp_path / "output").read_text()


def test_a_ray_that_does_not_come_up_in_time_is_started_anew(tmp_path: Path, temp: Path) -> None:
    with driving(tmp_path, temp, searched(), **NOT_UP) as driver:
        driver.part("gcs_server").suspend()
        outcome = driver.outcome()
    assert (0, []) == (outcome.code, outcome.left)
    (said,) = outcome.said.splitlines()
    assert said.startswith("Ray did not start (")
    assert said.endswith("; starting a fresh one, nothing is lost")
    assert 4 == len(outcome.table)


PROGRAM = """
import sys
from pathlib import Path
from orchestrator.errors import RayFailed
from orchestrator.execution.local_ray import local_ray
from orchestrator.history.run_folder import RunFolder
try:
    with local_ray(RunFolder(Path(sys.argv[1])), cpus=1, threads=1):
        pass
except RayFailed as error:
    print(error)
print("it goes on")
"""


def test_a_program_that_calls_us_is_not_started_afresh(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    environment = {**os.environ, "RAY_gcs_server_port_wait_time_s": "0"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120, check=False)
    first, last = done.stdout.splitlines()
    assert first.startswith("Ray did not start (")
    assert "it goes on" == last


@contextlib.contextmanager
def struck_again_and_again(driver: Driver, part: str, number: signal.Signals) -> Iterator[None]:
    """Send each new process of this name the signal, for the length of the block."""
    over = threading.Event()

    def strike() -> None:
        struck: set[psutil.Process] = set()
        while not over.wait(0.02):
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                for child in set(psutil.Process(driver.process.pid).children()) - struck:
                    if child.name() == part:
                        os.kill(child.pid, number)
                        struck.add(child)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
