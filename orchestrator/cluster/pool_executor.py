"""The executor on a cluster: the head of a Ray in the driver's job, joined by whichever worker jobs there are."""

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from orchestrator.cluster.pool_size import PoolSize
from orchestrator.cluster.profile import ClusterProfile
from orchestrator.cluster.run_files import RunFiles
from orchestrator.cluster.slurm import own_address
from orchestrator.execution.private_ray import private_folder
from orchestrator.execution.ray_connection import start, stop
from orchestrator.execution.ray_watch import RayWatch
from orchestrator.history.failures import Failure

if TYPE_CHECKING:
    from orchestrator.execution.ray_tune import RayExecutor

# A node that does not answer is given up after about 10 s; Ray's own defaults make that a minute.
_PATIENCE = {
    "RAY_health_check_initial_delay_ms": "5000",
    "RAY_health_check_period_ms": "2000",
    "RAY_health_check_timeout_ms": "4000",
    "RAY_health_check_failure_threshold": "3",
}


@contextlib.contextmanager
def pool(
    files: RunFiles, profile: ClusterProfile, pool_size: PoolSize, *, cpus_per_fit: int
) -> Iterator["RayExecutor"]:
    """Start the head, publish it to the workers, give what executes searches on them; in the end send them away."""

    def lost(why: str) -> NoReturn:
        """End this process at once, which would hang; SLURM starts the successor."""
        pool_size.say(why)
        os._exit(1)

    with private_folder(
        files.token.read_text(),
        parent=profile.temp,
        CUDA_VISIBLE_DEVICES="",  # without ConstrainDevices a job without GPUs sees all of the node's
        TUNE_MAX_PENDING_TRIALS_PG=str(2 * profile.workers.max * profile.fits_per_worker(cpus_per_fit)),
        **_PATIENCE,
    ) as temp:
        watch = RayWatch(temp, lost)
        try:
            with watch.watching():
                address = start(temp, cpus=0, address=own_address())
                watch.is_up()
                from orchestrator.execution.ray_tune import RayExecutor  # now: Ray reads its environment on import

                executor = RayExecutor(
                    temp=temp, cpus_per_fit=cpus_per_fit, gpus_per_fit=profile.gpus_per_fit, elastic=True,
                    why_worker_went=partial(_why_worker_went, files),
                )  # fmt: skip
                pool_size.publish(address, executor.fits_left, executor.silent_s)
                yield executor
        finally:
            pool_size.close()
            stop(temp)


def _why_worker_went(files: RunFiles, job: str) -> Failure | None:
    """Return why a worker job left, as it has written down itself; None: it has not."""
    said = {worker.job: worker.retiring for worker in files.workers()}.get(job)
    return Failure(said) if said in set(Failure) else None
