"""An audit on a cluster: cancelled amid its parts it goes on, and says what it says on one machine."""

import os
import subprocess
import sys
from pathlib import Path

from orchestrator.specs.strict_yaml import write_yaml
from tests.orchestrator.command import toy_search, written
from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, profile

SPACE = {
    "task": {"name": "tests.toy_task:AuditableToyTask", "with": {"data": "made"}},
    "sampler": "random",
    "trials": 2,
    "seeds": 2,
    "baseline": True,
    "space": {"x": {"uniform": [-1, 1]}},
}


def test_a_cancelled_audit_goes_on_and_ends_with_the_table_of_one_machine(slurm: Cluster, tmp_path: Path) -> None:
    run = Submitted(slurm=slurm, runs=tmp_path / "runs", name="there")
    search = written(tmp_path / "toy.yaml", toy_search(**SPACE))
    cluster = written(tmp_path / "cluster.yaml", write_yaml(profile()))
    here = run.orchestrate("audit", search, "--outer", 2, "--name", "here", "--executor", "in-process")
    assert 0 == here.returncode, here.stderr
    (tmp_path / "made").unlink()  # there, a job has to prepare it first

    words = ["audit", search, "--outer", 2, "--name", "there", "--cluster", cluster, "--runs", run.runs]
    command = [sys.executable, "-m", "orchestrator.cli", *map(str, words)]
    with subprocess.Popen(
        command, env={**os.environ, **slurm.environment}, stdout=subprocess.PIPE, text=True
    ) as following:
        wait_until((run.path / "outer-0" / "outer.json").exists, f"the first outer part; {run.logs()}", seconds=120)
        cancelled = run.orchestrate("cancel", "there")
        assert "there: cancelled" in cancelled.stdout, cancelled.stderr
        said, _ = following.communicate(timeout=60)
    assert 0 != following.returncode
    assert "a job that prepares the data" in said
    assert "1 of 2 outer parts done" in said
    assert not (run.path / "table.csv").exists()

    again = run.orchestrate("resume", "there")
    assert 0 == again.returncode, again.stderr
    run.wait_until_done()
    assert "there: 2 of 2 outer parts done" in run.orchestrate("status", "there").stdout
    assert (run.runs / "here" / "table.csv").read_text() == (run.path / "table.csv").read_text()
    run.wait_until_gone()
