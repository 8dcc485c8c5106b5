"""Two users' runs of one name, side by side on the same nodes: neither sees the other's, nor anybody a token."""

import contextlib
import json
import os
import pwd
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.execution.private_ray import OWN_FOLDER
from tests.orchestrator.folders import files_below
from tests.paced_task import Pace
from tests.slurm.cluster import Cluster, running_cluster, wait_until
from tests.slurm.pool import Submitted, assert_whole, submit
from tests.slurm.settings import Shape
from tests.slurm.users import NAMES, as_user, open_folder, open_to_users

PREFIX = OWN_FOLDER[1:].partition("-")[0] + "-"  # of the folders of a Ray

# Says how many nodes a Ray has, or why it does not say so.
CLIENT = """
import sys, ray
try:
    ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)
except BaseException as error:
    sys.exit(f"refused: {type(error).__name__}")
print(sum(node["Alive"] for node in ray.nodes()))
"""


@pytest.fixture
def folders(slurm_programs: None, root: None) -> Iterator[Path]:
    """A folder that both users reach, unlike pytest's own."""
    yield from open_folder(Path(tempfile.gettempdir()) / f"two-users-{secrets.token_hex(4)}")


def of_user(cluster: Cluster, name: str, folder: Path, pace: Pace) -> Submitted:
    """Submit a run, named like everybody's, which waits to be looked at."""
    user = as_user(cluster, name, folder / name)
    space = {"task": pace.task(step_s=0.5, folds=1)}
    return submit(user, folder / name, space=space, memory="2000M", workers={"min": 2, "max": 2})


def client(run: Submitted, address: str, token: Path | None) -> subprocess.Popen[str]:
    """Begin to look at a Ray, as the run's user, with this token or with none."""
    authentication = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)} if token else {}
    words = [*run.slurm.as_whom, sys.executable, "-c", CLIENT, address]
    return subprocess.Popen(
        words,
        env={**os.environ, "RAY_AUTH_MODE": "disabled", **authentication},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def head_of(run: Submitted) -> str:
    def address() -> str | None:
        path = run.path / "cluster" / "head.json"
        found: str | None = json.loads(path.read_text())["address"] if path.exists() else None
        return found

    wait_until(lambda: address() is not None, f"the head of {run.path}; {run.logs()}", seconds=90)
    return str(address())


def wait_until_joined(run: Submitted, workers: int) -> None:
    wait_until(lambda: workers <= sum(worker["joined"] for worker in run.workers()), f"{workers} workers in the pool")


def nodes_of_jobs(run: Submitted, name: str) -> set[str]:
    return set(run.slurm.ask("squeue", "-h", "-r", "-t", "running", "-u", name, "-o", "%N").split())


def temporary_folders() -> list[Path]:
    """Both users' folders for the temporary files of their Rays."""
    users = {pwd.getpwnam(name).pw_uid for name in NAMES}
    found = []
    for path in Path("/tmp").glob("opr-*"):
        with contextlib.suppress(OSError):  # another's may go at any moment
            if path.stat().st_uid in users:
                found.append(path)
    return found


def text_of(path: Path) -> str:
    """What a file holds; nothing where it has just gone, or is that of another test of this machine."""
    with contextlib.suppress(OSError):
        return path.read_text()
    return ""


def visible_text(base: Path, runs: list[Submitted]) -> Iterator[tuple[str, str]]:
    """Everything that others might read, or that is kept: argv, environments, SLURM's spool, logs, journals."""
    for process in psutil.process_iter():
        try:
            yield f"argv of {process.pid}", " ".join(process.cmdline())
            yield f"environment of {process.pid}", repr(process.environ())
        except (psutil.Error, OSError):
            continue
    for folder in (base, *(run.runs for run in runs), *temporary_folders()):
        for path in files_below(folder):
            if path.name != "token":
                with contextlib.suppress(OSError):  # Ray removes files as it goes
                    yield str(path), path.read_bytes().decode("latin-1")


def test_two_users_on_the_same_nodes_do_not_meet_and_no_token_is_seen(folders: Path) -> None:
    with running_cluster(Shape(nodes=2)) as cluster:
        open_to_users(cluster)
        pace = Pace(folders)
        pace.allow(2)
        runs = [of_user(cluster, name, folders, pace) for name in NAMES]
        first, second = runs
        heads = [head_of(run) for run in runs]
        for run in runs:
            run.wait_for("report", 4, seconds=120)
            wait_until_joined(run, 2)
        assert nodes_of_jobs(first, NAMES[0]) & nodes_of_jobs(second, NAMES[1])

        tokens = [run.path / "cluster" / "token" for run in runs]
        texts = [token.read_text() for token in tokens]
        assert texts[0] != texts[1]
        assert [(pwd.getpwnam(name).pw_uid, 0o100600) for name in NAMES] == [
            (token.stat().st_uid, token.stat().st_mode) for token in tokens
        ]
        copies = [folder / "token" for folder in temporary_folders() if text_of(folder / "token") in texts]
        assert set(texts) == {copy.read_text() for copy in copies}
        assert {0o100600} == {copy.stat().st_mode for copy in copies}
        visible = list(visible_text(cluster.base, runs))
        assert [] == [where for where, text in visible if any(token in text for token in texts)]
        for copy in copies:  # of which the path is seen, in the environments at least: they were read
            assert any(where.startswith("environment of") and str(copy) in text for where, text in visible)

        mine = folders / NAMES[1] / "another-token"
        mine.write_text(texts[1])
        os.chown(mine, tokens[1].stat().st_uid, -1)
        looks = {
            "own": client(first, heads[0], tokens[0]),
            "with the other's token": client(second, heads[0], mine),
            "without a token": client(second, heads[0], None),
        }
        said = {who: look.communicate(timeout=120) for who, look in looks.items()}
        assert "3\n" == said["own"][0], said["own"][1]  # the head and its own two workers
        for who in ("with the other's token", "without a token"):
            assert "" == said[who][0]
            assert "refused: " in said[who][1]
        assert second.slurm.run("cat", tokens[0]).returncode

        done = second.orchestrate("cancel", "toy")
        assert 0 == done.returncode, done.stderr
        assert set() == nodes_of_jobs(second, NAMES[1])
        pace.allow()
        first.wait_until_done(seconds=240)
        assert_whole(first, disruptions=0)
        wait_until(lambda: not cluster.squeue(), "the end of the jobs")


def test_a_search_ends_well_on_nodes_with_networks_of_their_own(
    slurm_programs: None, root: None, tmp_path: Path
) -> None:
    with running_cluster(Shape(own_networks=True)) as cluster:
        assert cluster.networks is not None
        pace = Pace(tmp_path)
        run = submit(cluster, tmp_path, space={"task": pace.task(step_s=0.5, folds=1)})
        head = head_of(run)
        wait_until_joined(run, 3)
        pace.allow()
        run.wait_until_done()
        assert_whole(run, disruptions=0)
        assert set(cluster.nodes) == {worker["node"] for worker in run.workers() if worker["joined"]}
        assert head.rpartition(":")[0] in cluster.networks.addresses
        run.wait_until_gone()
