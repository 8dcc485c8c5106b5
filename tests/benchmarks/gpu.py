"""What a GPU makes of training: records a second by network, precision and batch size, beside this machine's CPU.

    python -m tests.benchmarks.gpu STORE

Needs torch, scikit-learn and a prepared store; neither Ray nor Optuna. On CUDA it also runs out of memory on purpose:
with whole batches a fit should be lost and say so, with halves of them it should go through.

Measured on 2026-11-27, NVIDIA H100 80GB, 16 cores, torch 2.11, 576 made-up records of 12 leads, 10 s at 100 Hz; records
a second, validation and checkpoint included:

    network      float32, 32   float32, 256   bfloat16, 256   the 16 cores, 32
    cnn1d              5,678         13,299          12,995              2,682
    strided_cnn        4,069         11,973          11,785              2,578
    resnet1d           2,653          5,099           6,887              1,621
    resnet_lstm        1,454          1,429           2,574                296

An epoch of a head on kept features took 74 ms. At batches of 32 the card is busy for an eighth of the time (45 of 387
ms in four epochs of strided_cnn, by torch's profiler): launching kernels is what costs. The part on memory
narrowed it to three quarters of the peak, at which convolutions made do with less; it has not been run since it narrows
further.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch

from ecgcore.data.store import open_store
from ecgcore.task import ArrhythmiaTask
from orchestrator.execution.one_fit import run_fit
from orchestrator.task import Config, Fit

NETWORKS = ("cnn1d", "strided_cnn", "resnet1d", "resnet_lstm")
HEAD = "strided_cnn"
STEPS = 3  # epochs; the first, in which kernels are chosen, is not counted


def main() -> None:
    store = Path(sys.argv[1])
    task, records = ArrhythmiaTask(data=store), len(open_store(store).splits[0].train)
    devices = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    card = torch.cuda.get_device_name() if devices[0] == "cuda" else "no GPU"
    print(f"{card}; {torch.get_num_threads()} threads; torch {torch.__version__}; {records} records an epoch")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(
            f"{'network':<12} {'precision':<9} {'batch':>5} "
            + " ".join(f"{device + ' rec/s':>12}" for device in devices)
        )
        for network in NETWORKS:
            for precision, batch in (("float32", 32), ("float32", 256), ("bfloat16", 256)):
                config: Config = {"model": network, "precision": precision, "batch_size": batch}
                speeds = [
                    records / epoch_seconds(task, folder / f"{network}-{precision}-{batch}-{device}", config, device)
                    for device in devices
                    if device == "cuda" or batch == 32  # a CPU gains nothing by the others
                ]
                print(f"{network:<12} {precision:<9} {batch:>5}", *(f"{speed:>12.0f}" for speed in speeds), flush=True)
        head(task, folder, records)
        if devices[0] == "cuda":
            out_of_memory(task, folder)


def epoch_seconds(task: ArrhythmiaTask, directory: Path, config: Config, device: str, **of_fit: object) -> float:
    """Return the seconds of one epoch, validation and checkpoint included."""
    marks: list[float] = []
    fit = fit_of(directory, config, STEPS, **of_fit)
    there = torch.cuda.is_available
    torch.cuda.is_available = (lambda: False) if device == "cpu" else there
    try:
        task.fit(fit, lambda step, metrics, checkpoint=None: marks.append(time.perf_counter()))
    finally:
        torch.cuda.is_available = there
    return (marks[-1] - marks[0]) / (len(marks) - 1)


def fit_of(directory: Path, config: Config, steps: int, **of_fit: object) -> Fit:
    directory.mkdir()
    plain = {"trial": 0, "config": config, "seed": 0, "fold": 0, "folds": 1, "max_steps": steps, "directory": directory}
    return Fit(**{**plain, **of_fit})  # type: ignore[arg-type]


def head(task: ArrhythmiaTask, folder: Path, records: int) -> None:
    """Print what an epoch of a head costs on features that are computed once."""
    epoch_seconds(task, folder / "whole", {"model": HEAD}, "cuda")
    start = folder / "whole" / f"checkpoint-{STEPS:06d}.pt"
    config: Config = {"model": HEAD, "train": "head"}
    seconds = epoch_seconds(task, folder / "head", config, "cuda", start_from=start)
    print(f"a head of {HEAD} on kept features: {1000 * seconds:.1f} ms an epoch, {records / seconds:.0f} rec/s")


def out_of_memory(task: ArrhythmiaTask, folder: Path) -> None:
    """Print how a fit ends that a card has no room for, with whole batches and with halves."""
    config: Config = {"model": "resnet_lstm", "batch_size": 256}
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    epoch_seconds(task, folder / "roomy", config, "cuda")
    peak, whole = torch.cuda.max_memory_allocated(), torch.cuda.get_device_properties(0).total_memory
    for share in (0.75, 0.5, 0.35, 0.25, 0.18, 0.12):  # convolutions make do with less than they take
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(share * peak / whole)
        if (ended := how_it_ends(task, folder / f"whole-{share}", config, parts=1)) != "returned":
            print(f"{share:.2f} of {peak / 2**20:.0f} MiB, whole batches: {ended}")
            print(f"{share:.2f} of it, halves: {how_it_ends(task, folder / 'halves', config, parts=2)}", flush=True)
            return


def how_it_ends(task: ArrhythmiaTask, directory: Path, config: Config, *, parts: int) -> str:
    ending = run_fit(
        task, fit_of(directory, config, STEPS, batch_parts=parts), lambda step, metrics, checkpoint=None: None
    )
    torch.cuda.empty_cache()
    return ending.kind if ending.kind == "returned" else f"{ending.kind} ({ending.failure}; {ending.message[:90]})"


if __name__ == "__main__":
    main()
