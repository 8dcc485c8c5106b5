"""A run's jobs in SLURM's queue: hand them in, count them, end them.

A job is found by its name, which no other run's jobs have: whoever submits looks first, so that a crash between sbatch
and whatever would have remembered the job never doubles one.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.cluster.run_files import RunFiles
from orchestrator.cluster.slurm import Job, cancel, jobs_named, outside_any_job
from orchestrator.errors import RunFailed

PATIENCE_S = 120.0
SECONDS_A_JOB = 5.0  # submitit hands in at most five a second, a busy controller takes them more slowly


class NotSubmitted(RunFailed):
    """SLURM refused a job."""


class Queue:
    """The jobs of one run."""

    def __init__(self, files: RunFiles) -> None:
        self.files = files
        self.driver_name, self.worker_name = files.names()
        self.preparation_name = files.preparation_name

    def jobs(self) -> tuple[list[Job], list[Job]]:
        """Return the driver's and the workers' jobs that SLURM still knows, living and ended."""
        known = jobs_named((self.driver_name, self.worker_name))
        return (
            [job for job in known if job.name == self.driver_name],
            [job for job in known if job.name == self.worker_name],
        )

    def preparing(self) -> list[Job]:
        """Return the living jobs that prepare the run's data."""
        return [job for job in jobs_named((self.preparation_name,)) if job.is_alive]

    def submit(
        self, *, preparations: int = 0, drivers: int = 0, workers: int = 0, requests: Sequence[Path] = ()
    ) -> None:
        """Submit jobs. A driver waits in the queue while another one lives; a request is a job that runs alone."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", "orchestrator.cluster.sbatch",
                 self.files.run.path, str(preparations), str(drivers), str(workers), *requests],
                capture_output=True, text=True, check=False, env=outside_any_job(),
                timeout=PATIENCE_S + SECONDS_A_JOB * (preparations + drivers + len(requests) + 1),
            )  # fmt: skip
        except subprocess.TimeoutExpired:  # some may be queued all the same: who submits again looks first
            raise NotSubmitted(f"{self.files.run.path}: SLURM gave no answer to sbatch for too long") from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise NotSubmitted(
                f"{self.files.run.path}: the job was not submitted: {lines[-1] if lines else 'no message'}"
            )

    def cancel_pending(self) -> None:
        """End the jobs that have not begun."""
        cancel((self.preparation_name, self.driver_name, self.worker_name), only_pending=True)

    def cancel(self) -> None:
        """End every job of the run: first those that would submit new ones."""
        cancel((self.preparation_name, self.driver_name, self.worker_name))
