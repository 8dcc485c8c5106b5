"""What is handed to sbatch is accepted by a real SLURM, within the sizes that the site allows."""

import sys
from pathlib import Path

import pytest

from orchestrator.cluster.profile import ClusterProfile, read_profile
from orchestrator.cluster.run_files import RunFiles, Submission
from orchestrator.cluster.sbatch import array_sizes, driver_parameters, script, worker_parameters
from orchestrator.cluster.slurm import largest_array
from orchestrator.history.run_folder import RunFolder
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.slurm.cluster import Cluster, running_cluster
from tests.slurm.settings import Shape
from tests.slurm.test_profile import plain_profile


def profile_of(folder: Path, **changes: object) -> ClusterProfile:
    return read_profile(written(folder / "profile.yaml", plain_profile(**changes)))


@pytest.mark.parametrize(
    ("count", "largest", "sizes"),
    [(1, 1001, [1]), (100, 100, [100]), (101, 100, [100, 1]), (200, 100, [100, 100]), (7, 3, [3, 3, 1])],
)
def test_workers_are_cut_into_arrays_no_larger_than_the_site_allows(count: int, largest: int, sizes: list[int]) -> None:
    assert sizes == array_sizes(count, largest)


def test_200_workers_on_a_site_with_arrays_of_100_are_two_arrays_that_slurm_accepts(
    slurm_programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = profile_of(tmp_path, gpus=1, gpu_type="fake", workers={"max": 200}, sbatch=["--hold"])
    workers = worker_parameters(profile, "workers")
    with running_cluster(Shape(nodes=2, max_array_size=100)) as cluster:
        monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
        sizes = array_sizes(200, largest_array())
        assert [100, 100] == sizes
        arrays = []
        for size in sizes:
            path = written(tmp_path / "workers.sh", script(profile, workers, tmp_path, size))
            tested = cluster.run("sbatch", "--test-only", path)
            assert 0 == tested.returncode, tested.stderr
            arrays.append(cluster.sbatch(path))
        assert {f"{array}_{index}" for array in arrays for index in range(100)} == set(cluster.squeue())

        path = written(tmp_path / "too_many.sh", script(profile, workers, tmp_path, 101))
        refused = cluster.run("sbatch", "--test-only", path)
        assert refused.returncode
        assert "Invalid job array specification" in refused.stderr

        path = written(tmp_path / "driver.sh", script(profile, driver_parameters(profile, "driver"), tmp_path))
        tested = cluster.run("sbatch", "--test-only", path)
        assert 0 == tested.returncode, tested.stderr


def test_an_account_with_room_for_fewer_jobs_gets_as_many_workers_as_there_is_room_for(
    slurm_with_accounting: Cluster, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    profile = profile_of(tmp_path, account="ecg", workers={"max": 8}, sbatch=["--hold"])
    RunFiles(run).create(Submission(id="0a1b2c", retrain_seeds=None), profile)
    limit = ["sacctmgr", "-i", "modify", "user", "where", "account=ecg", "set"]
    slurm_with_accounting.ask(*limit, "MaxSubmitJobs=5")
    try:
        done = slurm_with_accounting.run(sys.executable, "-m", "orchestrator.cluster.sbatch", run.path, 0, 0, 8)
        queued = slurm_with_accounting.squeue()
    finally:
        slurm_with_accounting.ask(*limit, "MaxSubmitJobs=-1")
    assert 0 == done.returncode, done.stderr
    assert 4 == len(queued)
    assert set(done.stdout.split()) == set(queued)


def test_a_plan_of_mode_jobs_has_a_script_for_each_fit_and_a_damaged_journal_of_another_run_is_no_concern_of_it(
    tmp_path: Path,
) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    cluster = written(tmp_path / "cluster.yaml", plain_profile(mode="jobs"))
    other = tmp_path / "runs" / "other" / "journal.jsonl"
    other.parent.mkdir(parents=True)
    other.write_text("damaged\nand not only at its end\n")
    done = orchestrate("plan", space, "--cluster", cluster, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    assert "toy: 4 fits, each a job of its own, 3 at a time" in done.stdout
    assert "jobs: 1 driver and its waiting successor; one for each fit" in done.stdout
    assert "array" not in done.stdout
    assert "--- each fit" in done.stdout
