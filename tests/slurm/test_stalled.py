"""Fits that neither report nor end, on a cluster: in the pool and as jobs of their own."""

from collections import Counter
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.pool import submit

HANGING = {"name": "tests.orchestrator.execution.tasks:Hanging", "with": {}}


@pytest.mark.parametrize("mode", ["pool", "jobs"])
def test_a_fit_that_hangs_is_ended_and_begun_again_from_its_checkpoint(
    mode: str, slurm: Cluster, tmp_path: Path
) -> None:
    """Asleep, stopped by a signal, and lost in C."""
    space = {"task": HANGING, "space": {"x": {"choice": [0.1, 0.2, 0.3]}}, "max_steps": 3, "trials": 3, "stall_s": 8}
    run = submit(slurm, tmp_path, space=space, mode=mode, memory="1000M", workers={"min": 1, "max": 3})
    run.wait_until_done()
    lost = run.events("lost")
    assert [(0, "stalled"), (1, "stalled"), (2, "stalled")] == sorted((told["trial"], told["failure"]) for told in lost)
    assert {"complete": 3} == Counter(told["state"] for told in run.events("tell"))
    assert {1} == set(Counter((told["trial"], told["step"]) for told in run.events("report")).values())
    run.wait_until_gone()
