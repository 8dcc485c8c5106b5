"""A run that cannot come to a good end ends, with its reason, and does not burn hours in jobs that fail again."""

from pathlib import Path
from typing import Any

import pytest

from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, submit

RAISES: dict[str, Any] = {"x": {"choice": [index / 10 for index in range(8)]}, "kind": "raises"}


def assert_ended(run: Submitted, message: str) -> None:
    wait_until(lambda: run.done() is not None, f"the end of {run.name}", seconds=300)
    assert message in (run.done() or {})["message"]
    assert 1 == (run.done() or {})["exit_code"]
    run.wait_until_gone()
    assert f"failed: {run.path}" in run.orchestrate("status", "toy").stdout


@pytest.mark.parametrize("mode", ["pool", "jobs"])
def test_a_search_whose_first_trials_all_fail_alike_is_not_taken_up_by_a_successor(
    slurm: Cluster, tmp_path: Path, mode: str
) -> None:
    run = submit(slurm, tmp_path, space={"space": RAISES}, mode=mode, memory="1000M", workers={"max": 3})
    assert_ended(run, "trials all failed alike")
    assert 1 == len({begun["incarnation"] for begun in run.events("start")})
    assert len(run.events("tell")) < 8


def test_workers_that_fail_before_they_join_are_not_submitted_for_ever(slurm: Cluster, tmp_path: Path) -> None:
    no_worker = 'case "$SLURM_JOB_NAME" in *-worker) exit 3;; esac'
    run = submit(slurm, tmp_path, setup=[no_worker])
    wait_until(lambda: run.done() is not None, "the end", seconds=300)
    assert "worker jobs failed before they joined" in (run.done() or {})["message"]
    run.wait_until_gone()
