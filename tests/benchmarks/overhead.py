"""What a search costs beside its fits: 60 fits of nothing through Ray Tune, against the same search in one process.

python -m tests.benchmarks.overhead
"""

import tempfile
import time
from pathlib import Path

from orchestrator.execution.local_ray import local_ray
from orchestrator.execution.session import open_session
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.search_run import run_search
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

TRIALS = 60


def main() -> None:
    spec = toy_spec(trials=TRIALS, folds=1, sampler="random", max_steps=1)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run_in_process(open_search(spec, Path(folder) / "plain"))
        plain = (time.perf_counter() - begun) / TRIALS

        run = RunFolder(Path(folder) / "session")
        with open_session(run, local_ray(run, cpus=1, threads=1), quiet=True) as session:
            begun = time.perf_counter()
            run_search(spec.model_copy(update={"trials": 1}), RunFolder(Path(folder) / "cold"), session)
            cold = time.perf_counter() - begun
            begun = time.perf_counter()
            run_search(spec, RunFolder(Path(folder) / "warm"), session)
            through_ray = (time.perf_counter() - begun) / TRIALS
    print(f"Ray's start and a first fit        {cold:8.2f} s")
    print(f"a fit of one step, journaled       {plain * 1000:8.1f} ms in one process")
    ratio = through_ray / plain
    print(
        f"through Ray Tune                   {through_ray * 1000:8.1f} ms, worker's start included ({ratio:.0f} times)"
    )


if __name__ == "__main__":
    main()
