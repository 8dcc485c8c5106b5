"""To SLURM through submitit: driver jobs, those that prepare for one, arrays of workers. A process, see queue.py.

The one file that imports submitit.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.slurm.slurm import _make_sbatch_string  # the text that it hands to sbatch, for `plan`

from orchestrator.cluster.jobs import drive, prepare, run_alone, serve
from orchestrator.cluster.profile import ClusterProfile, seconds_of
from orchestrator.cluster.run_files import RunFiles
from orchestrator.cluster.slurm import largest_array
from orchestrator.history.run_folder import RunFolder

LIMIT_REACHED = ("SubmitJobLimit", "job submit limit", "MaxSubmitJob")  # what sbatch says of an account's limit


def main() -> int:
    """Submit what the command line says: RUN, how many preparations, drivers, workers, requests. Prints the ids."""
    run, (preparations, drivers, workers), requests = sys.argv[1], map(int, sys.argv[2:5]), sys.argv[5:]
    files = RunFiles(RunFolder(Path(run)))
    driver_name, worker_name = files.names()
    profile = files.profile()
    try:
        for _ in range(preparations):
            print(_executor(files, driver_parameters(profile, files.preparation_name)).submit(prepare, run).job_id)
        for _ in range(drivers):
            print(_executor(files, driver_parameters(profile, driver_name)).submit(drive, run).job_id)
        for size in array_sizes(workers, largest_array()) if workers else []:
            ids = _submitted(_executor(files, worker_parameters(profile, worker_name)), run, size)
            print(*ids, sep="\n")
            if len(ids) < size:  # the account's limit: the driver submits more when jobs have ended
                break
        for request in requests:
            named = {"comment": json.loads(Path(request).read_text())["name"]}
            alone = _executor(files, worker_parameters(profile, worker_name) | named)
            print(alone.submit(run_alone, run, request).job_id)
    except (FailedJobError, FailedSubmissionError) as error:
        print(f"sbatch: {_last_line(error)}", file=sys.stderr)
        return 1
    return 0


def array_sizes(count: int, largest: int) -> list[int]:
    """Return the sizes of the arrays that together have `count` tasks; a site caps the index of a task."""
    full, rest = divmod(count, largest)
    return [largest] * full + [rest] * (rest > 0)


def driver_parameters(profile: ClusterProfile, name: str) -> dict[str, Any]:
    """Return what submitit is told for the driver's job, and for the one that prepares the data before it."""
    driver = profile.driver
    return {
        **_shared(profile, name, memory=driver.memory),
        "partition": driver.partition or profile.partition,
        "qos": driver.qos or (profile.qos if driver.partition is None else None),
        "time": seconds_of(driver.time) // 60,
        "cpus_per_task": driver.cpus,
        "dependency": "singleton",  # of the jobs of this name and user one runs at a time, however many are submitted
        "signal_delay_s": 60,
    }


def worker_parameters(profile: ClusterProfile, name: str) -> dict[str, Any]:
    """Return what submitit is told for the workers' jobs."""
    return {
        **_shared(profile, name, memory=profile.memory),
        "partition": profile.partition,
        "qos": profile.qos,
        "constraint": profile.constraint,
        "time": seconds_of(profile.time) // 60,
        "cpus_per_task": profile.cpus,
        "gres": profile.gpu_request(profile.gpus),
        "signal_delay_s": profile.retire_before,
        "array_parallelism": 1_000_000,  # all at once: submitit's own default would be 256
    }


def script(profile: ClusterProfile, parameters: dict[str, Any], folder: Path, tasks: int | None = None) -> str:
    """Return the text of the script that sbatch is given; tasks: of an array."""
    command = f"{shlex.quote(_python(profile))} -u -m submitit.core._submit {shlex.quote(str(folder / '%j'))}"
    return _make_sbatch_string(command=command, folder=folder / "%j", map_count=tasks, **parameters)


def _shared(profile: ClusterProfile, name: str, *, memory: str) -> dict[str, Any]:
    options = dict(line.removeprefix("--").partition("=")[::2] for line in profile.sbatch)
    return {
        "job_name": name,
        "account": profile.account,
        "nodes": 1,
        "ntasks_per_node": 1,
        "setup": list(profile.setup) or None,
        "wckey": None,  # submitit's own would be refused where a site enforces them
        "stderr_to_stdout": True,
        "additional_parameters": {
            "mem": memory,
            "no-requeue": True,  # a lost job is replaced by a new one: SLURM lets a requeued one wait for two minutes
            **{key: value or True for key, value in options.items()},
        },
    }


def _executor(files: RunFiles, parameters: dict[str, Any]) -> submitit.SlurmExecutor:
    """Return a new executor: one that is told anew keeps what it was told before."""
    executor = submitit.SlurmExecutor(folder=files.logs / "%j", python=shlex.quote(_python(files.profile())))
    executor.update_parameters(**parameters)
    return executor


def _submitted(executor: submitit.SlurmExecutor, run: str, size: int) -> list[str]:
    """Submit one array, a smaller one where the account's limit of submitted jobs leaves no room for it."""
    while True:
        try:
            return [job.job_id for job in executor.map_array(serve, [run] * size)]
        except (FailedJobError, FailedSubmissionError) as error:
            if size == 1 or not any(words in str(error) for words in LIMIT_REACHED):
                raise
            size //= 2


def _python(profile: ClusterProfile) -> str:
    return profile.python or sys.executable


def _last_line(error: Exception) -> str:
    return ([line for line in str(error).splitlines() if line.strip()] or ["no message"])[-1]


if __name__ == "__main__":
    sys.exit(main())
