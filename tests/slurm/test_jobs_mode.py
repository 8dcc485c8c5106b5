"""`mode: jobs`: each fit is a job of its own, under the same journal; no Ray runs on any node."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator.command import toy_search, written
from tests.paced_task import Pace
from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, submit

TOY = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.5, "folds": 1}}


def submitted(slurm: Cluster, folder: Path, **space: Any) -> Submitted:
    return submit(slurm, folder, space=space, mode="jobs", memory="1000M", workers={"max": 6})


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "table.csv").open() as file:
        return [
            {name: value for name, value in row.items() if name not in ("seconds", "gpu_seconds")}
            for row in csv.DictReader(file)
        ]


def assert_no_step_is_lost_or_repeated(run: Submitted, steps: int) -> None:
    assert {1} == set(Counter((told["trial"], told["step"]) for told in run.events("report")).values())
    for path in (run.path / "trials").glob("*/*/steps.log"):
        assert [str(step + 1) for step in range(steps)] == [line.split()[0] for line in path.read_text().splitlines()]


def test_a_killed_drivers_jobs_run_on_to_the_table_of_one_machine_and_to_a_final(
    slurm: Cluster, tmp_path: Path
) -> None:
    space = {"x": {"choice": [0.1, 0.3]}, "kind": {"choice": ["plain", "bent", "raises"]}}
    pace = Pace(tmp_path)  # no fit is at its end when the driver is killed
    run = submitted(slurm, tmp_path, task=pace.task(step_s=0.5, folds=1), max_steps=4, space=space)
    run.wait_for("report", 1)
    run.kill(run.running("driver"), "python")
    pace.allow()
    run.wait_until_done()
    run.wait_until_gone()

    assert 2 == len({begun["incarnation"] for begun in run.events("start")})
    assert_no_step_is_lost_or_repeated(run, 4)
    assert 6 == len(list((run.path / "cluster" / "workers").glob("*.json")))  # a job for each fit, and no second one
    assert {"complete": 4, "failed": 2} == Counter(told["state"] for told in run.events("tell"))

    search = written(tmp_path / "toy.yaml", toy_search(task=TOY, max_steps=4, space=space))
    words = [sys.executable, "-m", "orchestrator.cli", "search", "--space", search, "--runs", tmp_path / "here"]
    done = slurm.run(*words)
    assert 0 == done.returncode, done.stderr
    assert rows_of(tmp_path / "here" / "toy") == rows_of(run.path)

    words = ["retrain", "toy", "--seeds", "2", "--cluster", tmp_path / "toy-cluster.yaml", "--json"]
    done = run.orchestrate(*words)
    assert 0 == done.returncode, done.stderr + run.logs()
    assert 2 == json.loads(done.stdout)["seeds"]
    assert 1 == len((run.path / "final" / "opened.log").read_text().splitlines())
    assert "tests.paced_task:PacedToyTask" in (run.path / "final" / "model" / "signature.json").read_text()
    run.wait_until_gone()


def test_a_fit_whose_job_is_killed_goes_on_in_another(slurm: Cluster, tmp_path: Path) -> None:
    pace = Pace(tmp_path)  # the fit waits between two steps when it is killed, so that none is repeated
    task = pace.task(step_s=0.5, folds=1)
    run = submitted(slurm, tmp_path, task=task, max_steps=4, space={"x": {"choice": [0.3]}})
    run.wait_for("report", 1)
    (job,) = run.jobs("worker")
    (reports,) = (run.path / "trials").glob("*/*/reports.jsonl")
    with reports.open("a") as file:
        file.write('{"step": 2, "metr')  # as a node that dies may leave it
    slurm.scancel("--full", "--signal=KILL", job)
    wait_until(lambda: job not in run.jobs("worker"), "the end of the killed job")
    pace.allow()
    run.wait_until_done()
    assert_no_step_is_lost_or_repeated(run, 4)
    assert 2 == len(list((run.path / "cluster" / "workers").glob("*.json")))
    run.wait_until_gone()


def test_a_pruner_is_refused(slurm: Cluster, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="prune needs `mode: pool`: a fit that is a job of its own"):
        submitted(slurm, tmp_path, prune={"successive_halving": {}}, sampler="random", trials=4)
