"""With accounting SLURM forgets ended jobs in another way than without; without it, test_survival asks the same."""

from pathlib import Path

from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import submit


def test_the_end_of_a_job_is_noticed_and_made_good(slurm_with_accounting: Cluster, tmp_path: Path) -> None:
    cluster = slurm_with_accounting
    run = submit(cluster, tmp_path, account="ecg")
    run.wait_for("tell", 2)
    workers = set(run.jobs("worker"))
    cluster.scancel(run.running("worker"))
    wait_until(lambda: bool(set(run.jobs("worker")) - workers), "another worker")
    driver = run.running("driver")
    run.kill(driver, "python")
    wait_until(
        lambda: any(state == "RUNNING" and job != driver for job, state in run.jobs("driver").items()),
        "its successor",
    )
    assert 0 == run.orchestrate("cancel", "toy").returncode
