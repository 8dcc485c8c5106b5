"""A Ray cluster that exists: a search is its guest, goes on after every end of its driver, and ends nothing there."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from orchestrator.errors import UserError
from orchestrator.execution.existing_ray import answers, refuse
from orchestrator.execution.private_ray import TOKEN_PATH, end_processes_of
from orchestrator.execution.ray_connection import NodeView, why_not_joined
from tests.orchestrator.command import orchestrate, written
from tests.orchestrator.execution.driven import driving, is_alive, searched, table_of, undisturbed, words
from tests.orchestrator.without_ray import orchestrate_here
from tests.paced_task import Pace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("existing_ray")]

WAIT_S = 120.0
LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A Ray that somebody else has started, with two CPUs, on this machine alone."""

    process: psutil.Process
    address: str
    token: Path

    @property
    def environment(self) -> dict[str, str]:
        """What one must have to be let in."""
        return {TOKEN_PATH: str(self.token), **LOOPBACK_ONLY}

    @property
    def words(self) -> list[str]:
        return ["--ray", self.address]

    def fits_at_work(self) -> int:
        found = 0
        for child in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                found += "ImplicitFunc" in " ".join(child.cmdline())
        return found

    def is_whole(self) -> bool:
        """Whether it stands as before and runs nothing of ours: Ray takes a moment to see that we are gone."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self.fits_at_work())
        parts = {child.name() for child in self.process.children() if is_alive(child)}
        return answers(self.address) and parts >= {"gcs_server", "raylet"} and not self.fits_at_work()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One for all tests of this file; in the end what was started with its token is ended, by number."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as short:
        token = Path(short) / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        port = free_port()
        started = [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus", "2",
            "--num-gpus", "0", "--node-ip-address", "127.0.0.1", "--port", str(port), "--disable-usage-stats",
            "--include-dashboard", "false", "--include-log-monitor", "false", "--temp-dir", f"{short}/ray",
            "--object-store-memory", "100000000",
        ]  # fmt: skip
        environment = {**os.environ, "RAY_AUTH_MODE": "token", TOKEN_PATH: str(token), **LOOPBACK_ONLY}
        with (Path(short) / "output").open("wb") as output:
            process = subprocess.Popen(started, stdout=output, stderr=output, env=environment, process_group=0)
        try:
            wait_until(lambda: "Ray runtime started" in (Path(short) / "output").read_text())
            yield Cluster(process=psutil.Process(process.pid), address=f"127.0.0.1:{port}", token=token)
        finally:
            end_processes_of(Path(short))
            process.wait()


def test_a_search_there_ends_with_the_table_of_one_in_this_process_and_its_token_in_no_word_and_no_file_of_the_run(
    tmp_path: Path, temp: Path, cluster: Cluster
) -> None:
    (tmp_path / "smooth").mkdir()
    pace = Pace(tmp_path)
    space = searched(task=pace.task(), concurrency=2)
    with driving(tmp_path, temp, space, after=cluster.words, **cluster.environment) as driver:
        driver.wait_until(lambda: cluster.fits_at_work() == 2, "two fits at work there")
        told = [word for one in (driver.process.pid, cluster.process.pid) for word in words_below(one)]
        pace.allow()
        outcome = driver.outcome()
    assert (0, "", []) == (outcome.code, outcome.said, outcome.left)
    assert undisturbed(tmp_path / "smooth", space) == outcome.table
    token = cluster.token.read_text()
    assert not [word for word in told if token in word]
    assert not [path for path in driver.path.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert not (driver.path / "ray-probe").exists()
    assert cluster.is_whole()


@pytest.mark.parametrize(("number", "code", "there"), [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_a_signal_ends_the_driver_and_not_the_cluster_and_a_resume_there_or_here_ends_with_the_same_table(
    tmp_path: Path, temp: Path, cluster: Cluster, number: signal.Signals, code: int, there: bool
) -> None:
    (tmp_path / "smooth").mkdir()
    pace = Pace(tmp_path)
    space = searched(task=pace.task(), concurrency=2)
    with driving(tmp_path, temp, space, after=cluster.words, **cluster.environment) as driver:
        driver.wait_until(lambda: driver.events("report") >= 2, "a step of each of two fits")
        driver.process.send_signal(number)
        outcome = driver.outcome()
    said = "interrupted; nothing is lost: the same command goes on\n"
    assert (code, said, []) == (outcome.code, outcome.said, outcome.left)
    assert cluster.is_whole()
    pace.allow()
    again = ["resume", "toy", "--runs", tmp_path / "runs"]
    done = orchestrate(*again, *cluster.words, **cluster.environment) if there else orchestrate_here(*again)
    assert 0 == done.returncode, done.stderr
    assert undisturbed(tmp_path / "smooth", space) == table_of(driver.path)
    assert [4] * 8 == steps_of(driver.path)


def test_a_driver_that_is_killed_loses_nothing_and_a_search_beside_it_does_not_notice(
    tmp_path: Path, temp: Path, cluster: Cluster
) -> None:
    for name in ("smooth", "beside"):
        (tmp_path / name).mkdir()
    pace = Pace(tmp_path)
    space, other = searched(task=pace.task()), searched(max_steps=2)
    with driving(tmp_path, temp, space, after=cluster.words, **cluster.environment) as driver:
        driver.wait_until(lambda: driver.events("report") == 1, "a step")
        beside = orchestrate(*words(tmp_path / "beside", other), *cluster.words, **cluster.environment)
        assert 0 == beside.returncode, beside.stderr
        assert cluster.fits_at_work() == 1
        driver.process.kill()
        driver.process.wait()
    assert cluster.is_whole()
    pace.allow()
    done = orchestrate("resume", "toy", "--runs", tmp_path / "runs", *cluster.words, **cluster.environment)
    assert 0 == done.returncode, done.stderr
    assert undisturbed(tmp_path / "smooth", space) == table_of(driver.path)
    assert [4] * 8 == steps_of(driver.path)
    assert cluster.is_whole()


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ({}, "wants a token, got none"),
        ({"RAY_AUTH_TOKEN": "another"}, "does not take the token that it was shown"),
        ({TOKEN_PATH: "/nowhere/token"}, "/nowhere/token: must be a file with a Ray's token"),
    ],
)
def test_a_cluster_that_does_not_let_us_in_is_a_mistake_of_one_sentence(
    tmp_path: Path, cluster: Cluster, token: dict[str, str], said: str
) -> None:
    done = orchestrate(*words(tmp_path, searched()), *cluster.words, **token, **LOOPBACK_ONLY)
    assert (2, "") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    assert said in line
    assert "another" not in line
    assert cluster.is_whole()


def test_an_address_at_which_nothing_answers_is_a_mistake_that_costs_no_start_of_ray(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    done = orchestrate(*words(tmp_path, searched()), "--ray", address)
    assert 2 == done.returncode
    assert done.stderr.startswith(f"--ray {address}: nothing answers there")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--ray", "head:6379", "--executor", "in-process"], "not allowed with argument"),
        (["--ray", "head:6379", "--cluster", "slurm/gpu.yaml"], "not allowed with argument"),
        (["--ray", "ray://head:10001"], "must be HOST:PORT of a Ray's GCS"),
        (["--ray", "head:99999"], "must be HOST:PORT of a Ray's GCS"),
    ],
)
def test_where_fits_run_is_said_once(tmp_path: Path, given: list[str], said: str) -> None:
    space = written(tmp_path / "toy.yaml", searched())
    done = orchestrate("search", "--space", space, *given)
    assert 2 == done.returncode
    assert said in done.stderr


PROGRAM = """
import sys
from pathlib import Path
from orchestrator.execution.private_ray import guest_folder
from orchestrator.execution.ray_connection import alive_nodes, join, stop, views
with guest_folder() as temp:
    join(sys.argv[1], temp, environment={})
    for file in sys.argv[2:]:
        (view,) = views(alive_nodes(), Path(file), "content")
        print(view.node, view.reads, view.writes, bool(view.version))
    stop(temp)
"""


def test_a_node_says_whether_it_sees_what_the_driver_wrote(tmp_path: Path, cluster: Cluster) -> None:
    there, other, nowhere = (tmp_path / name for name in ("there", "other", "nowhere"))
    there.write_text("content")
    other.write_text("of another file system's file of the same name")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, cluster.address, *map(str, (there, other, nowhere))],
        env={**os.environ, **cluster.environment}, capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    node = "127.0.0.1"
    assert [f"{node} True True True", f"{node} False True True", f"{node} False False True"] == done.stdout.splitlines()


def test_a_node_that_does_not_share_the_run_folder_or_our_version_is_named(tmp_path: Path) -> None:
    """Of one machine every folder is seen everywhere on it: here, what a node says is made up."""
    from importlib.metadata import version

    ours = {"version": version("orchestrate"), "reads": True, "writes": True}
    refuse("head:6379", tmp_path, [NodeView(node="10.0.0.1", **ours)])
    for changes, said in [
        ({"reads": False}, f"{tmp_path} cannot be read"),
        ({"writes": False}, f"{tmp_path} cannot be written"),
        ({"version": "0.0.1"}, "orchestrate is 0.0.1, here it is"),
        ({"version": None}, "orchestrate cannot be imported"),
    ]:
        seen = [NodeView(node="10.0.0.1", **ours), NodeView(node="10.0.0.2", **{**ours, **changes})]
        with pytest.raises(UserError, match=r"on node 10\.0\.0\.2") as refused:
            refuse("head:6379", tmp_path, seen)
        assert said in str(refused.value)


def test_another_version_of_ray_or_python_is_told_with_both() -> None:
    """The words are Ray's own."""
    code = (
        "from ray._private.utils import check_version_info as check\n"
        "try: check({'ray_version': '2.1.0', 'python_version': '3.9.9'}, 'node')\n"
        "except RuntimeError as error: print(error)"
    )
    words_of_ray = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    said = why_not_joined(RuntimeError(words_of_ray))
    assert said.startswith("that cluster has Ray 2.1.0 and Python 3.9.9, this environment has Ray ")
    assert "and Python 3.11." in said


def test_a_cluster_that_is_lost_ends_the_driver_in_one_sentence_and_the_search_goes_on_here(
    tmp_path: Path, temp: Path, cluster: Cluster
) -> None:
    """The last one: nothing is left of the cluster."""
    (tmp_path / "smooth").mkdir()
    pace = Pace(tmp_path)
    space = searched(task=pace.task())
    with driving(tmp_path, temp, space, after=cluster.words, **cluster.environment) as driver:
        driver.wait_until(lambda: driver.events("report") == 1, "a step")
        next(child for child in cluster.process.children() if child.name() == "raylet").kill()
        outcome = driver.outcome()
    assert (1, []) == (outcome.code, outcome.left)
    way_out = "nothing is lost: the same command goes on, without --ray on this machine"
    assert f"the Ray at {cluster.address} has lost its raylet on this machine; {way_out}\n" == outcome.said
    pace.allow()
    done = orchestrate_here("resume", "toy", "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    assert undisturbed(tmp_path / "smooth", space) == table_of(driver.path)


def steps_of(run: Path) -> list[int]:
    """How many steps were really run of each fit."""
    return [len(log.read_text().splitlines()) for log in run.glob("trials/*/*/steps.log")]


def words_below(pid: int) -> list[str]:
    found = []
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            found += one.cmdline()
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
