"""What a pool of SLURM jobs costs beside its fits, on a test cluster of this machine.

python -m tests.benchmarks.pool
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil

from tests.slurm.cluster import Cluster, running_cluster, wait_until
from tests.slurm.pool import Submitted, submit
from tests.slurm.settings import Shape


def main() -> None:
    with running_cluster(Shape()) as slurm, tempfile.TemporaryDirectory() as folder:
        _whole_search(slurm, Path(folder))
        _long_fit(slurm, Path(folder))


def _whole_search(slurm: Cluster, folder: Path) -> None:
    submitted = time.time()
    run = submit(slurm, folder)
    run.wait_until_done(seconds=300)
    done = time.time()
    run.wait_until_gone(seconds=60)
    gone = time.time()
    first = min(_moment(record["at"]) for record in run.events("start"))
    print(f"submit to the first fit's start      {first - submitted:8.1f} s, 3 workers")
    print(f"submit to the first fit's first step {_moment(run.events('report')[0]['at']) - submitted:8.1f} s")
    print(f"the run's end to its last job's end  {gone - done:8.1f} s")
    gaps = list(_gaps_between_fits(run))
    print(f"a warm worker between two fits       {statistics.median(gaps) * 1000:8.0f} ms (median of {len(gaps)})")


def _long_fit(slurm: Cluster, folder: Path) -> None:
    task = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 10, "folds": 1}}
    run = submit(slurm, folder, "long", space={"task": task, "max_steps": 100})
    run.wait_for("report", 3, seconds=120)
    with _measured(run, "driver") as spent:
        time.sleep(20)
    print(f"CPU of a driver with nothing to do   {spent[0] / 20 * 100:8.1f} % of a core, Ray's head included")
    workers = set(run.jobs("worker"))
    slurm.scancel(run.running("worker"))
    lost = time.time()
    wait_until(lambda: bool(set(run.jobs("worker")) - workers), "another worker", seconds=60)
    print(f"a worker's end to its replacement    {time.time() - lost:8.1f} s until it is in the queue")
    print(run.orchestrate("cancel", "long").stdout.strip())


def _moment(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _gaps_between_fits(run: Submitted) -> Iterator[float]:
    """From the end of one fit to the start of the next, which takes its place on the worker at once."""
    ended = None
    for record in run.events():
        if record["event"] == "end":
            ended = _moment(record["at"])
        elif record["event"] == "start" and ended is not None:
            yield _moment(record["at"]) - ended
            ended = None


@contextlib.contextmanager
def _measured(run: Submitted, role: str) -> Iterator[list[float]]:
    processes = run.processes(run.running(role))
    before, spent = _cpu_s(processes), [0.0]
    yield spent
    spent[0] = _cpu_s(processes) - before


def _cpu_s(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


if __name__ == "__main__":
    main()
