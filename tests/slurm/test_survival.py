"""Whatever happens to its jobs, a search comes to its end: no trial is lost, none is run twice.

At most one step of a running fit is repeated. What was measured is in slurm/README.md's table.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, assert_whole, submit

pytestmark = pytest.mark.slow


def _named(run: Submitted, job: str, name: str) -> list[psutil.Process]:
    found = []
    for process in run.processes(job):
        with contextlib.suppress(psutil.Error):
            if process.name().startswith(name):
                found.append(process)
    return found


def scancel_a_worker(run: Submitted) -> None:
    run.slurm.scancel(run.running("worker"))


def preempt_a_worker(run: Submitted) -> None:
    node = run.slurm.node_of(run.running("worker"))
    job = run.slurm.sbatch("-p", "high", "-w", node, "--gres=gpu:fake:2", "--wrap=sleep 5")
    wait_until(lambda: run.slurm.state_of(job) == "RUNNING", "the job of high priority")


def kill_a_workers_ray(run: Submitted) -> None:
    for raylet in _named(run, run.running("worker"), "raylet"):
        raylet.kill()


def kill_a_slurmd(run: Submitted) -> None:
    pid = run.slurm.node_pid(run.slurm.node_of(run.running("worker")))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def kill_a_node(run: Submitted) -> None:
    run.slurm.kill_node(run.slurm.node_of(run.running("worker")))


def kill_the_drivers_node(run: Submitted) -> None:
    run.slurm.kill_node(run.slurm.node_of(run.running("driver")))


def kill_the_driver(run: Submitted) -> None:
    for process in _named(run, run.running("driver"), "python"):
        process.kill()


def scancel_the_driver(run: Submitted) -> None:
    run.slurm.scancel(run.running("driver"))


def kill_the_gcs(run: Submitted) -> None:
    (gcs,) = _named(run, run.running("driver"), "gcs_server")
    gcs.kill()


def freeze_a_worker(run: Submitted) -> None:
    job = run.running("worker")
    frozen = run.processes(job)
    for process in frozen:
        with contextlib.suppress(psutil.Error):
            process.suspend()
    before = len(run.events("tell"))
    run.wait_for("tell", min(before + 8, 22), seconds=180)
    for process in frozen:
        with contextlib.suppress(psutil.Error):
            process.resume()


FAULTS: list[Callable[[Submitted], None]] = [
    scancel_a_worker,
    preempt_a_worker,
    kill_a_workers_ray,
    kill_a_slurmd,
    kill_a_node,
    kill_the_drivers_node,
    kill_the_driver,
    scancel_the_driver,
    kill_the_gcs,
    freeze_a_worker,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_search_survives(fault: Callable[[Submitted], None], slurm: Cluster, tmp_path: Path) -> None:
    run = submit(slurm, tmp_path)
    run.wait_for("tell", 4)
    began, before = time.monotonic(), len(run.events("report"))
    fault(run)
    run.wait_for("report", before + 12, seconds=180)
    print(f"{fault.__name__}: 12 further steps after {time.monotonic() - began:.1f} s")
    run.wait_until_done()
    print(f"{fault.__name__}: done after {time.monotonic() - began:.1f} s")
    assert_whole(run)
    run.wait_until_gone(seconds=40)
