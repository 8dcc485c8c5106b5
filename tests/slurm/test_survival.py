"""Whatever happens to its jobs, a search comes to its end: no trial is lost, none is run twice.

Several faults hit one run, one after the other, each when the run has recovered from the one before; each costs a
running fit at most one step. What was measured is in slurm/README.md's table. The run is let go on as far as the next
fault needs it: on a machine that is slow to recover it does not come to its end before the last one.
"""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.paced_task import Pace
from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, assert_whole, submit

TRIALS = 48
STEPS = 12  # that the run must do after each fault
FROZEN = 8  # trials that end while a worker is frozen
TURN = 3 + STEPS // 4 + 2  # trials that may end with the next fault: those at work, the steps, and some that are stuck


def scancel_a_worker(run: Submitted) -> None:
    before = set(run.jobs("worker"))
    run.slurm.scancel(run.running("worker"))
    wait_until(lambda: bool(set(run.jobs("worker")) - before), "another worker")


def preempt_a_worker(run: Submitted) -> None:
    node = run.slurm.node_of(run.running("worker"))
    job = run.slurm.sbatch("-p", "high", "-w", node, "--gres=gpu:fake:2", "--wrap=sleep 5")
    begun = ("RUNNING", "COMPLETING", "COMPLETED")
    wait_until(lambda: run.slurm.state_of(job) in begun, "the job of high priority")


def kill_a_workers_ray(run: Submitted) -> None:
    run.kill(run.running("worker"), "raylet")


def kill_a_slurmd(run: Submitted) -> None:
    pid = run.slurm.node_pid(run.slurm.node_of(run.running("worker")))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def kill_a_node(run: Submitted) -> None:
    run.slurm.kill_node(run.slurm.node_of(run.running("worker")))


def kill_the_drivers_node(run: Submitted) -> None:
    run.slurm.kill_node(run.slurm.node_of(run.running("driver")))


def kill_the_driver(run: Submitted) -> None:
    driver = run.running("driver")
    run.kill(driver, "python")
    wait_until(
        lambda: any(state == "RUNNING" and job != driver for job, state in run.jobs("driver").items()),
        "its successor",
    )


def scancel_the_driver(run: Submitted) -> None:
    run.slurm.scancel(run.running("driver"))


def kill_the_gcs(run: Submitted) -> None:
    run.kill(run.running("driver"), "gcs_server")


def freeze_a_worker(run: Submitted) -> None:
    job = run.running("worker")
    frozen = run.processes(job)
    for process in frozen:
        with contextlib.suppress(psutil.Error):
            process.suspend()
    before = len(run.events("tell"))
    run.wait_for("tell", before + FROZEN, seconds=180)
    for process in frozen:
        with contextlib.suppress(psutil.Error):
            process.resume()


def recovered(run: Submitted) -> None:
    """Wait until the run is as it should be: a driver and its successor, and a worker that is not on its node."""

    def is_whole() -> bool:
        return bool(run.running_now("worker")) and len(run.jobs("driver")) == 2

    wait_until(is_whole, f"a driver, its successor and a worker of {run.name}", seconds=120)


FAULTS: dict[str, list[Callable[[Submitted], None]]] = {
    "workers": [scancel_a_worker, preempt_a_worker, kill_a_workers_ray, freeze_a_worker],
    "drivers": [kill_the_driver, scancel_the_driver, kill_the_gcs],
    "nodes": [kill_a_node, kill_the_drivers_node, kill_a_slurmd],
}


@pytest.mark.parametrize("of", FAULTS)
def test_a_search_survives_the_faults(of: str, slurm: Cluster, tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    pace.allow(2)
    space = {"x": {"choice": [round(i / TRIALS, 3) for i in range(TRIALS)]}}
    run = submit(slurm, tmp_path, space={"task": pace.task(step_s=0.5, folds=1), "space": space})
    run.wait_for("tell", 2)
    for fault in FAULTS[of]:
        recovered(run)
        pace.allow(len(run.events("tell")) + TURN + (FROZEN if fault is freeze_a_worker else 0))
        began, before = time.monotonic(), len(run.events("report"))
        fault(run)
        run.wait_for("report", before + STEPS, seconds=180)
        print(f"{fault.__name__}: {STEPS} further steps after {time.monotonic() - began:.1f} s")
        if fault is not FAULTS[of][-1]:
            for node in slurm.nodes:
                if slurm.node_pid(node) is None:
                    slurm.start_node(node)
    assert len(run.events("tell")) < TRIALS, "the last fault came after the end"
    pace.allow()
    run.wait_until_done()
    assert_whole(run, trials=TRIALS, disruptions=len(FAULTS[of]))
    assert repeated_steps(run) <= 3 * len(FAULTS[of]), "a fault costs each of the three running fits at most a step"
    # SLURM's SIGTERM ends a worker's raylet before the worker can say that it goes: then the node is lost.
    assert {lost["failure"] for lost in run.events("lost")} <= {"preempted", "node lost", "worker lost"}
    run.wait_until_gone()


def repeated_steps(run: Submitted) -> int:
    logs = [Counter(line.split()[0] for line in path.read_text().splitlines()) for path in run.step_logs()]
    return sum(done.total() - len(done) for done in logs)
