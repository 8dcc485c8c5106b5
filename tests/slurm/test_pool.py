"""A submitted run from a user's side: the same result as on one machine, in time, within its budget, under control."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.specs.strict_yaml import write_yaml
from tests.orchestrator.command import toy_search, written
from tests.paced_task import Pace
from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, assert_whole, profile, submit


def test_same_table_and_winner_as_on_one_machine(slurm: Cluster, tmp_path: Path) -> None:
    run = Submitted(slurm=slurm, runs=tmp_path / "runs", name="pool")
    records, store = tmp_path / "records", tmp_path / "store"
    for words in (
        ["data", "synthesize", "--records", 60, "--seed", 1, "--seconds", 4, "--to", records],
        ["data", "prepare", "--reader", "own", "--from", records, "--to", store, "--folds", 2],
    ):
        said = slurm.run(sys.executable, "-m", "orchestrator.cli", *words)
        assert 0 == said.returncode, said.stderr
    space = {
        "task": {"name": "ecgcore.task:ArrhythmiaTask", "with": {"data": str(store)}},
        "metric": "macro_auc",
        "max_steps": 2,
        "sampler": "grid",
        "baseline": False,
        "space": {"model": "cnn1d", "learning_rate": {"choice": [0.001, 0.01]}},
    }
    search = written(tmp_path / "search.yaml", write_yaml(space))
    cluster = written(tmp_path / "cluster.yaml", write_yaml(profile()))
    words = ["search", "--space", search, "--name", "here", "--runs", run.runs]
    here = slurm.run(sys.executable, "-m", "tests.orchestrator.without_ray", *words, OMP_NUM_THREADS="1")
    there = run.orchestrate("search", "--space", search, "--name", "pool", "--cluster", cluster)
    assert (0, 0) == (here.returncode, there.returncode), there.stderr + run.logs()
    assert _table(run.runs / "here") == _table(run.runs / "pool")
    winners = [(run.runs / name / "winner.json").read_text() for name in ("here", "pool")]
    assert winners[0] == winners[1]
    run.wait_until_gone()


def test_a_spent_budget_stops_the_search_and_more_goes_on_with_workers_that_leave_before_their_time(
    slurm: Cluster, tmp_path: Path
) -> None:
    """One worker at a time, which is allotted a minute, retires after 35 s, and repeats not a step."""
    one = {"time": "00:01:00", "retire_before": 25, "workers": {"min": 1, "max": 1}}
    run = submit(slurm, tmp_path, space={"budget": {"gpu_hours": 10 / 3600}}, **one)
    run.wait_until_done()
    assert run.events("report")
    assert len(run.events("tell")) < 24  # all of them need 48 GPU-seconds at least
    run.wait_until_gone()

    again = submit(slurm, tmp_path, space={"budget": {"gpu_hours": 1}}, **one)
    again.wait_until_done()
    assert_whole(again, disruptions=0)
    workers = [json.loads(path.read_text()) for path in (run.path / "cluster" / "workers").glob("*.json")]
    assert len(workers) >= 2
    assert {"", "wall time"} >= {worker["retiring"] for worker in workers} > {""}
    # Of the fits that they were training; one that had not yet said where it runs is lost with the node.
    assert {"wall time", "node lost"} >= {lost["failure"] for lost in run.events("lost")}


def test_a_days_work(slurm: Cluster, tmp_path: Path) -> None:
    pace = Pace(tmp_path)  # the run is not at its end before it is looked at and cancelled
    run = submit(slurm, tmp_path, space={"task": pace.task(step_s=0.5, folds=1)})
    again = run.orchestrate("submit", tmp_path / "toy.yaml", "--cluster", tmp_path / "toy-cluster.yaml")
    assert 0 == again.returncode
    assert "is submitted already" in again.stdout
    assert len(run.jobs("driver")) <= 2  # the driver and, once it runs, its successor
    assert 3 == len(run.jobs("worker"))

    pace.allow(1)
    run.wait_for("tell", 1)
    wait_until(lambda: ["RUNNING"] * 3 == list(run.jobs("worker").values()), "three workers")
    wait_until(lambda: len(run.jobs("driver")) == 2, "a driver and its successor")
    shown = run.orchestrate("status", "toy").stdout
    assert "driver job" in shown
    assert "successor job" in shown
    assert "workers 3 running" in shown
    assert "GPU-hours" in shown

    pace.allow(12)  # half of them: all three workers are at work
    cancelled = run.orchestrate("cancel", "toy")
    assert 0 == cancelled.returncode, cancelled.stderr
    assert not run.jobs()
    assert "cancelled" in run.orchestrate("status", "toy").stdout
    assert len(run.events("tell")) < 24
    assert "toy 1/24" in run.orchestrate("logs", "toy").stdout
    assert "worker job" in run.orchestrate("logs", "toy", "--worker", "3").stdout
    wrong = run.orchestrate("logs", "toy", "--worker", "9")
    assert (2, True) == (wrong.returncode, "must be 1 to 3" in wrong.stderr)

    pace.allow()
    assert 0 == run.orchestrate("resume", "toy").returncode
    run.wait_until_done()
    assert_whole(run)
    assert "all jobs are done" in run.orchestrate("status", "toy").stdout
    run.wait_until_gone()

    words = ["retrain", "toy", "--seeds", "3", "--cluster", tmp_path / "toy-cluster.yaml", "--json"]
    done = run.orchestrate(*words)  # the final and its test run on the pool
    assert 0 == done.returncode, done.stderr + run.logs()
    assert 3 == json.loads(done.stdout)["seeds"]
    assert 1 == len((run.path / "final" / "opened.log").read_text().splitlines())


def test_workers_that_cannot_start_end_the_run_with_the_reason(slurm: Cluster, tmp_path: Path) -> None:
    run = submit(slurm, tmp_path, setup=["exit 3"])
    wait_until(lambda: run.done() is not None or not run.jobs(), "the end", seconds=120)
    run.wait_until_gone()
    shown = run.orchestrate("status", "toy").stdout
    assert "no driver is left" in shown  # the set-up lines are the driver's, too
    assert "orchestrate logs toy" in shown


def test_a_mistake_that_only_a_job_can_see_ends_the_run_with_exit_code_2(slurm: Cluster, tmp_path: Path) -> None:
    run = submit(slurm, tmp_path, space={"metric": "accuracy"})
    wait_until(lambda: run.done() is not None, "the end", seconds=120)
    assert 2 == (run.done() or {})["exit_code"]
    assert "accuracy is not among what the task reports" in run.orchestrate("status", "toy").stdout
    run.wait_until_gone()


def test_a_profile_without_room_for_a_fit_is_refused(slurm: Cluster, tmp_path: Path) -> None:
    run = Submitted(slurm=slurm, runs=tmp_path / "runs", name="toy")
    search = written(tmp_path / "toy.yaml", toy_search(cpus_per_fit=4))
    cluster = written(tmp_path / "cluster.yaml", write_yaml(profile()))
    said = run.orchestrate("submit", search, "--cluster", cluster)
    assert 2 == said.returncode
    assert "a fit needs 4 CPUs" in said.stderr
    assert not run.path.exists()


def _table(run: Path) -> list[dict[str, Any]]:
    rows = csv.DictReader((run / "table.csv").read_text().splitlines())
    return [
        {key: value for key, value in row.items() if key not in ("seconds", "gpu_seconds", "search", "run")}
        for row in rows
    ]
