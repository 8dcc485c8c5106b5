"""A submitted run whose data is not there yet: a job prepares it, begins the run and submits the others, once."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.specs.strict_yaml import write_yaml
from tests.orchestrator.command import written
from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, profile

pytestmark = pytest.mark.slurm


def submitted(slurm: Cluster, folder: Path, **options: Any) -> Submitted:
    run = to_submit(slurm, folder, **options)
    said = run.orchestrate("submit", folder / "toy.yaml", "--cluster", folder / "cluster.yaml")
    assert 0 == said.returncode, said.stderr
    assert "a job that prepares the data" in said.stdout
    return run


def to_submit(slurm: Cluster, folder: Path, *, records: int = 40, leads: str = "II") -> Submitted:
    """A search of two trials on records that are synthesized when they are needed."""
    recipe = {
        "store": "store",
        "recordings": {"reader": "own", "from": "raw", "synthesize": {"records": records, "seed": 1, "seconds": 4}},
        "leads": [leads],
        "split": {"folds": 2},
    }
    written(folder / "recipe.yaml", write_yaml(recipe))
    space = {
        "task": {"name": "ecgcore.task:ArrhythmiaTask", "with": {"data": "recipe.yaml"}},
        "metric": "macro_auc",
        "max_steps": 1,
        "sampler": "grid",
        "baseline": False,
        "space": {"model": "cnn1d", "learning_rate": {"choice": [0.001, 0.01]}},
    }
    written(folder / "toy.yaml", write_yaml(space))
    written(folder / "cluster.yaml", write_yaml(profile()))
    return Submitted(slurm=slurm, runs=folder / "runs", name="toy")


def test_a_job_prepares_the_data_and_then_the_run_is_as_any_other(slurm: Cluster, tmp_path: Path) -> None:
    with slurm.closed():
        run = submitted(slurm, tmp_path)
        assert not run.events()  # submitting itself has read and begun nothing
        again = run.orchestrate("submit", tmp_path / "toy.yaml", "--cluster", tmp_path / "cluster.yaml")
        assert "is submitted already" in again.stdout
        assert {"PENDING"} == set(run.jobs("prepare").values()) == set(run.jobs().values())
        assert 1 == len(run.jobs("prepare"))

    run.wait_until_done()
    assert 2 == len(run.events("tell"))
    assert (tmp_path / "store" / "manifest.json").is_file()
    assert "== preparation job" in run.orchestrate("logs", "toy").stdout
    assert "== driver job" in run.orchestrate("logs", "toy").stdout
    run.wait_until_gone()

    shutil.rmtree(tmp_path / "raw")  # of a store that is there nothing is prepared
    done = run.orchestrate("retrain", "toy", "--seeds", "1", "--cluster", tmp_path / "cluster.yaml", "--json")
    assert 0 == done.returncode, done.stderr + run.logs()


def test_what_is_wrong_with_the_recordings_is_the_end_of_the_run_and_resume_goes_on(
    slurm: Cluster, tmp_path: Path
) -> None:
    run = submitted(slurm, tmp_path, leads="X")
    wait_until(lambda: run.done() is not None, f"the end; {run.logs()}", seconds=120)
    assert 2 == (run.done() or {})["exit_code"]
    run.wait_until_gone()
    shown = run.orchestrate("status", "toy").stdout
    assert "nothing has begun yet" in shown
    assert "every lead asked for must be there; missing: X" in shown
    assert "toy" in run.orchestrate("status").stdout

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("- X", "- II"))
    said = run.orchestrate("resume", "toy")
    assert "a job that prepares the data" in said.stdout, said.stderr
    run.wait_until_done()
    assert 2 == len(run.events("tell"))


def test_cancel_ends_a_preparation_and_resume_begins_it_again(slurm: Cluster, tmp_path: Path) -> None:
    run = submitted(slurm, tmp_path, records=20000)  # far more than are written while the test looks
    wait_until(lambda: "RUNNING" in run.jobs("prepare").values(), "the preparation", seconds=60)
    assert "prepares its data first: job" in run.orchestrate("status", "toy").stdout
    cancelled = run.orchestrate("cancel", "toy")
    assert 0 == cancelled.returncode, cancelled.stderr
    assert not run.jobs()
    assert "cancelled" in run.orchestrate("status", "toy").stdout
    assert run.done() is None

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("20000", "40"))
    assert 0 == run.orchestrate("resume", "toy").returncode
    run.wait_until_done()


def test_search_on_a_cluster_follows_from_the_preparation_to_the_table(slurm: Cluster, tmp_path: Path) -> None:
    run = to_submit(slurm, tmp_path)
    followed = run.orchestrate("search", "--space", tmp_path / "toy.yaml", "--cluster", tmp_path / "cluster.yaml")
    assert 0 == followed.returncode, followed.stderr + run.logs()
    assert "prepares its data first" in followed.stdout
    assert "macro_auc" in followed.stdout
    plan = [sys.executable, "-m", "orchestrator.cli", "plan", tmp_path / "toy.yaml"]
    shutil.rmtree(tmp_path / "store")
    planned = slurm.run(*plan, "--cluster", tmp_path / "cluster.yaml", "--runs", run.runs)
    assert "jobs: 1 that prepares the data" in planned.stdout, planned.stderr
