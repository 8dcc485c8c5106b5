"""What caching a frozen backbone's features saves: the same head fit with the cache and without, side by side.

python -m tests.benchmarks.frozen_features
"""

import tempfile
import time
from pathlib import Path

import torch

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.readers.labels_csv import own_source
from ecgcore.synthetic.database import Synthesis, synthesize
from ecgcore.task import ArrhythmiaTask
from orchestrator.task import Config, Fit

STEPS = 10


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesize(folder / "records", Synthesis(records=240, seed=1))
        prepare(own_source(folder / "records"), folder / "store", StoreRequest(rule=SplitRule(folds=1)))
        task = ArrhythmiaTask(data=folder / "store")
        seconds(task, folder / "full", {"train": "full"}, start=None, steps=1)
        start = folder / "full" / "checkpoint-000001.pt"
        first = seconds(task, folder / "first", {"train": "head"}, start=start)
        again = seconds(task, folder / "again", {"train": "head"}, start=start)
        # The smallest augmentation makes every epoch's signals new, so nothing can be cached.
        uncached = seconds(task, folder / "uncached", {"train": "head", "noise": 1e-9}, start=start)
    print(f"head fit of {STEPS} epochs, not cached      {uncached:6.2f} s")
    print(f"cached, the first of a worker         {first:6.2f} s ({uncached / first:.1f} times faster)")
    print(f"cached, every later one               {again:6.2f} s ({uncached / again:.1f} times faster)")


def seconds(task: ArrhythmiaTask, directory: Path, config: Config, *, start: Path | None, steps: int = STEPS) -> float:
    directory.mkdir()
    fit = Fit(
        trial=0, config=config, seed=0, fold=0, folds=1, max_steps=steps, directory=directory, start_from=start
    )  # fmt: skip
    begun = time.perf_counter()
    task.fit(fit, lambda step, metrics, checkpoint=None: None)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
