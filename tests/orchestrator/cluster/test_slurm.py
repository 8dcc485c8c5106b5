"""What SLURM's own words are turned into, and what of the submitter's environment goes with a job."""

import pytest

from orchestrator.cluster.slurm import outside_any_job, told_of


def test_a_line_of_scontrol_is_its_values_by_name_and_null_is_nothing() -> None:
    line = "NodeName=n1 Arch=x86_64 CPUTot=8 Gres=gpu:a100:4(S:0-1) AvailableFeatures=(null) CfgTRES=cpu=8,mem=10G"
    told = told_of(line)
    assert ("n1", "8", "gpu:a100:4(S:0-1)") == (told["NodeName"], told["CPUTot"], told["Gres"])
    assert ("", "cpu=8,mem=10G") == (told["AvailableFeatures"], told["CfgTRES"])


def test_what_a_site_writes_into_a_comment_is_not_taken_for_a_value() -> None:
    assert "IDLE" == told_of("NodeName=n1 State=IDLE Comment=was State=DOWN until May")["State"]


def test_a_job_inherits_nothing_of_the_job_or_the_ray_in_which_it_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = ["SLURM_JOB_ID", "SLURMD_NODENAME", "SBATCH_PARTITION", "SRUN_DEBUG", "RAY_ADDRESS", "TUNE_X"]
    foreign += ["SUBMITIT_FOLDER", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "ORCHESTRATE_AT_WORK"]
    kept = ["SLURM_CONF", "ORCHESTRATE_RUNS", "RAYON_NUM_THREADS", "HOME"]
    for name in foreign + kept:
        monkeypatch.setenv(name, "x")
    given = outside_any_job()
    assert not set(foreign) & given.keys()
    assert set(kept) <= given.keys()
