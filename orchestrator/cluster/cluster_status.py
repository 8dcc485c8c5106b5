"""What a submitted run's jobs are doing, and what they cost so far."""

from collections import Counter

from orchestrator.cluster.accounting import accounting_lines
from orchestrator.cluster.queue import Queue
from orchestrator.cluster.run_files import RunFiles
from orchestrator.cluster.slurm import Job
from orchestrator.errors import RunFailed
from orchestrator.history.run_folder import RunFolder


def cluster_lines(folder: RunFolder, *, brief: bool = False) -> list[str]:
    """Return the driver, the workers and, unless it is to be brief, the cost of a run as lines for people."""
    files = RunFiles(folder)
    return [*_job_lines(files), *([] if brief else accounting_lines(files))]


def has_driver(folder: RunFolder) -> bool:
    """Return whether a driver of this run, or the job that prepares its data, runs or waits, and is still wanted."""
    files = RunFiles(folder)
    try:
        queue = Queue(files)
        # In this order: a preparation ends when the driver is in the queue.
        return not files.is_over and (bool(queue.preparing()) or any(job.is_alive for job in queue.jobs()[0]))
    except RunFailed:  # SLURM does not answer, which says nothing about the driver
        return not files.is_over


def _job_lines(files: RunFiles) -> list[str]:
    done, name = files.done(), files.run.name
    if done is not None and done.exit_code:
        return [f"failed: {done.message}", f"mend that, then `orchestrate resume {name}` goes on"]
    if done is not None:
        return ["all jobs are done", *done.notes]
    try:
        queue = Queue(files)
        preparing = queue.preparing()
        drivers, workers = queue.jobs()
    except RunFailed as error:
        return [f"jobs unknown: {error}"]
    alive = [job for job in drivers if job.is_alive]
    if files.is_cancelled:
        return [f"cancelled; `orchestrate resume {name}` goes on"]
    if preparing and not alive:
        return [f"prepares its data first: {preparing[0].line()}"]
    if not alive:
        last = f" (the last: {drivers[-1].line()})" if drivers else ""
        return [f"no driver is left{last}: `orchestrate resume {name}` goes on, `orchestrate logs {name}` says more"]
    first, *others = sorted(alive, key=lambda job: job.is_pending)
    waiting = f"; successor {others[0].line()}" if others else ""
    return [f"driver {first.line()}{waiting}", f"workers {_counted([job for job in workers if job.is_alive])}"]


def _counted(jobs: list[Job]) -> str:
    states = Counter(f"{job.state.lower()} ({job.reason})" if job.is_pending else job.state.lower() for job in jobs)
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
