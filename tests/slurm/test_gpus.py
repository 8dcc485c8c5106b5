"""A fit sees the GPUs that SLURM allotted to its job, and none besides: nothing else keeps it from its neighbours'."""

from pathlib import Path
from typing import Any

import pytest

from tests.slurm.cluster import Cluster, environment_of, is_named
from tests.slurm.pool import Submitted, submit

TOY = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 1.5, "folds": 1}}


def seen_by_fits(run: Submitted, process_name: str) -> set[str]:
    run.wait_for("report", 1)
    jobs = [job for job, state in run.jobs("worker").items() if state == "RUNNING"]
    found = [process for job in jobs for process in run.processes(job) if is_named(process, process_name)]
    environments = [environment for process in found if (environment := environment_of(process))]
    return {environment.get("CUDA_VISIBLE_DEVICES", "all of the node's") for environment in environments}


@pytest.mark.parametrize(
    ("changes", "seen"),
    [({"gpus": 2, "cpus": 2}, {"0,1"}), ({"gpus": 0, "gpu_type": None}, {""})],
    ids=["two GPUs", "no GPU"],
)
def test_a_fit_sees_the_gpus_of_its_job_only(
    slurm: Cluster, tmp_path: Path, changes: dict[str, Any], seen: set[str]
) -> None:
    run = submit(slurm, tmp_path, space={"task": TOY}, workers={"max": 1}, **changes)
    found = seen_by_fits(run, "raylet")
    run.orchestrate("cancel", "toy")
    assert seen == found
