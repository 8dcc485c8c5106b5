"""What only looks like an end: a queue in which nothing begins for a while, a disk that does not show a file."""

import time
from pathlib import Path

import pytest

from tests.paced_task import Pace
from tests.slurm.cluster import Cluster, is_named, wait_until
from tests.slurm.pool import assert_whole, submit


def test_a_worker_keeps_its_fits_while_the_disk_does_not_show_who_is_the_driver(slurm: Cluster, tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    run = submit(slurm, tmp_path, space={"task": pace.task(folds=1)}, workers={"max": 1})
    run.wait_for("report", 1)
    (worker,) = run.workers()
    before = {process for process in run.processes(worker["job"]) if process.name() == "raylet"}
    head = run.path / "cluster" / "head.json"
    content = head.read_text()
    while not head.is_dir():  # which the driver cannot write over; it may just have done so
        head.unlink(missing_ok=True)
        head.mkdir(exist_ok=True) if not head.exists() else None
    time.sleep(5)
    head.rmdir()
    head.write_text(content)
    pace.allow()
    run.wait_until_done()
    assert before
    assert_whole(run, disruptions=0)
    assert [] == run.events("lost")


@pytest.mark.parametrize("mode", ["pool", "jobs"])
def test_the_minutes_of_a_budget_pass_while_fits_are_at_work_and_not_in_the_queue(
    slurm: Cluster, tmp_path: Path, mode: str
) -> None:
    minutes = {"budget": {"minutes": 20 / 60}, "space": {"x": {"choice": [0.1, 0.2]}}}
    space = {"task": {"name": "tests.toy_task:ToyTask", "with": {"folds": 1, "step_s": 1.0}}, **minutes}
    others = [slurm.sbatch("-p", "high", "-w", node, "--gres=gpu:fake:2", "--wrap=sleep 300") for node in slurm.nodes]
    wait_until(lambda: all(slurm.state_of(job) == "RUNNING" for job in others), "others' jobs")
    watched = ["export ORCHESTRATE_DRIVER_SILENCE_S=10"]
    run = submit(slurm, tmp_path, space=space, mode=mode, memory="1000M", workers={"max": 2}, setup=watched)
    driver = run.running("driver")
    wait_until(lambda: "PENDING" in run.jobs("worker").values(), "workers in the queue")
    time.sleep(25)
    assert not run.events("report")
    assert [driver] == run.running_now("driver"), "who waits does not hang"
    slurm.scancel(*others)
    run.wait_until_done()
    assert_whole(run, trials=2)


def test_a_driver_that_hangs_is_ended_and_its_successor_goes_on(slurm: Cluster, tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    setup = ["export ORCHESTRATE_DRIVER_SILENCE_S=10"]
    run = submit(slurm, tmp_path, space={"task": pace.task(folds=1)}, setup=setup)
    run.wait_for("report", 2)
    driver = run.running("driver")
    wait_until(lambda: len(run.jobs("driver")) == 2, "its successor")
    for process in run.processes(driver):  # of the job's processes those that are the driver, not Ray's nor the watch
        if is_named(process, "python") and "submitit.core._submit" in process.cmdline():
            process.suspend()
    began = time.monotonic()
    wait_until(lambda: run.running_now("driver") not in ([], [driver]), "that the successor runs")
    print(f"the successor runs after {time.monotonic() - began:.1f} s")
    pace.allow()
    run.wait_until_done()
    assert_whole(run)
    assert "has not moved for 10 s and is ended" in run.logs()
    run.wait_until_gone()
