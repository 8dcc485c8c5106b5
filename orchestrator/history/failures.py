"""What can become of a fit that does not end well: the classes of failures, as journals name them."""

from enum import StrEnum


class Failure(StrEnum):
    """Why a fit failed, or was lost and goes on elsewhere. What follows from each: search/retries.py."""

    CODE = "code"  # the task raised an error, or broke a rule of what it may report
    DIVERGED = "diverged"
    GPU_MEMORY = "out of GPU memory"
    HOST_MEMORY = "out of memory"  # of the machine, or of the job
    STALLED = "stalled"  # it neither reported nor ended
    WORKER = "worker lost"  # its process died, nobody knows why
    NODE = "node lost"
    WALL_TIME = "wall time"  # of the job that it ran in
    PREEMPTED = "preempted"
