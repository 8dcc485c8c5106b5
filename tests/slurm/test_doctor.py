"""The doctor finds on a real SLURM what would go wrong, says the way out, and leaves nothing behind."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.orchestrator.command import orchestrate, written
from tests.slurm.cluster import Cluster, running_cluster, wait_until
from tests.slurm.settings import Shape
from tests.slurm.test_profile import plain_profile


class Doctor:
    """Asks the doctor of one cluster about profiles; the run folder is a new one."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder, self.runs = cluster, folder, folder / "runs"

    def __call__(self, *words: object, **changes: Any) -> subprocess.CompletedProcess[str]:
        profile = written(self.folder / "profile.yaml", plain_profile(**changes))
        words = ("doctor", "--cluster", profile, "--runs", self.runs, *words)
        return orchestrate(*words, **self.cluster.environment)

    def error(self, *words: object, **changes: Any) -> str:
        """Return what is said of a profile with an error; no job of it stays."""
        done = self(*words, **changes)
        assert 2 == done.returncode, done.stdout + done.stderr
        assert "" == done.stderr
        self.wait_until_gone()
        return "\n".join(line for line in done.stdout.splitlines() if line.startswith("error"))

    def wait_until_gone(self) -> None:
        """Its job is ended, and by SLURM within seconds; of itself it would stay for two minutes, or in the queue."""
        wait_until(lambda: not self.cluster.squeue(), "the end of the doctor's job", seconds=60)

    def warnings(self, *words: object, **changes: Any) -> str:
        """Return the warnings about a profile without errors."""
        done = self(*words, **changes)
        assert 0 == done.returncode, done.stdout + done.stderr
        return "\n".join(line for line in done.stdout.splitlines() if line.startswith("warning"))


@pytest.fixture
def doctor(slurm: Cluster, tmp_path: Path) -> Doctor:
    return Doctor(slurm, tmp_path)


def test_a_sound_profile_has_no_error_and_nothing_is_left_behind(doctor: Doctor) -> None:
    done = doctor("--json", gpus=1, gpu_type="fake", driver={"partition": "high", "time": "01:00:00", "memory": "1G"})
    assert 0 == done.returncode, done.stdout + done.stderr
    findings = json.loads(done.stdout)
    assert [["about", "found", "level", "way_out"]] * len(findings) == [sorted(finding) for finding in findings]
    assert not [finding for finding in findings if finding["level"] == "error"]
    assert {"worker script", "driver script", "job", "clocks", "locks", "temp", "shared memory", "ports", "GPU"} <= {
        finding["about"] for finding in findings
    }
    assert not [finding for finding in findings if finding["level"] != "ok" and not finding["way_out"]]
    doctor.wait_until_gone()
    assert not doctor.runs.exists()


def test_a_wrong_partition_is_named_with_those_that_there_are(doctor: Doctor) -> None:
    said = doctor.error(partition="hihg")
    assert "worker partition hihg does not exist; set partition in the profile to one of: low, short, high" in said
    assert "worker script    refused by SLURM: allocation failure: Invalid partition name specified" in said
    said = doctor.error(driver={"partition": "lwo", "time": "01:00:00"})
    assert "driver partition lwo does not exist; set driver.partition in the profile to one of" in said


def test_a_type_of_gpu_that_is_not_there_is_named_with_what_there_is(doctor: Doctor) -> None:
    assert (
        "no node of low has 1 GPU of type a100; set gpus and gpu_type to what its nodes have (2 x fake)"
        in doctor.error(gpus=1, gpu_type="a100")
    )
    assert "no node of low has 3 GPUs of type any" in doctor.error(gpus=3, cpus=3)


def test_a_worker_that_no_node_can_hold_is_an_error(doctor: Doctor) -> None:
    assert "lower cpus or memory (the largest has 8 CPUs and 8000 MB)" in doctor.error(memory="9G")


def test_a_time_above_the_partitions_is_an_error_although_sbatch_would_take_it(doctor: Doctor) -> None:
    said = doctor.error(partition="short", driver={"partition": "high", "time": "1-00:00:00"})
    assert "worker partition short allows jobs of at most 00:01:00, the profile asks for 01:00:00; lower time" in said


def test_a_run_folder_that_the_nodes_do_not_see_is_an_error(doctor: Doctor, root: None) -> None:
    doctor.runs.mkdir()
    for node in doctor.cluster.nodes:
        doctor.cluster.stop_node(node)
        doctor.cluster.start_node(node, hiding=doctor.runs)
    doctor.cluster.wait_for_nodes()
    try:
        said = doctor.error()
    finally:
        for node in doctor.cluster.nodes:
            doctor.cluster.stop_node(node)  # the fixture starts them anew
    assert f"does not see {doctor.runs}; put runs on a disk that all nodes share: --runs DIR" in said


def test_a_path_for_temporary_files_that_is_too_long_is_refused_before_anything_is_asked(doctor: Doctor) -> None:
    done = doctor(temp="/scratch/local/of/somebody")
    assert (2, "") == (done.returncode, done.stdout)
    assert f"{doctor.folder}/profile.yaml:" in done.stderr
    assert "temp: must have at most 23 bytes, since Ray puts sockets below it" in done.stderr


def test_a_folder_for_temporary_files_that_the_node_does_not_have_is_an_error(doctor: Doctor) -> None:
    assert "temp             /no/such is not there on the node" in doctor.error(temp="/no/such")


def test_the_longest_folder_that_a_profile_may_name_has_room_for_rays_sockets(doctor: Doctor) -> None:
    temp = Path("/tmp") / f"{os.getpid():0>18}"
    temp.mkdir()
    try:
        done = doctor(temp=str(temp))
        assert 23 == len(str(temp))
        assert 0 == done.returncode, done.stdout + done.stderr
        assert [] == list(temp.iterdir())
    finally:
        temp.rmdir()


def test_a_ray_without_token_mode_on_the_node_is_an_error(doctor: Doctor) -> None:
    old = doctor.folder / "old" / "ray-2.40.0.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: ray\nVersion: 2.40.0\n")
    done = doctor(setup=[f"export PYTHONPATH={old.parent}"])
    assert 2 == done.returncode
    assert "error    Ray on the node  2.40.0 has no token mode; install ray >= 2.52" in done.stdout
    assert "warning  packages         differ on the node: ray 2.40.0 (2.60.0 here)" in done.stdout


def test_a_python_that_the_node_does_not_have_is_an_error(doctor: Doctor) -> None:
    said = doctor.error(python="/no/such/python")
    assert "Python" in said
    assert "/no/such/python: No such file or directory; set python to one that the nodes see" in said


def test_a_python_without_the_program_is_an_error(doctor: Doctor) -> None:
    assert "on the node has no orchestrate; install it there" in doctor.error(python=sys.base_prefix + "/bin/python3")


def test_set_up_lines_that_fail_are_a_warning(doctor: Doctor) -> None:
    assert "no_such_command: command not found" in doctor.warnings(setup=["no_such_command load cuda"])


def test_a_node_on_which_few_files_may_be_open_is_a_warning(doctor: Doctor) -> None:
    for node in doctor.cluster.nodes:
        psutil.Process(doctor.cluster.node_pid(node)).rlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    try:
        said = doctor.warnings()
    finally:
        for node in doctor.cluster.nodes:
            doctor.cluster.stop_node(node)  # the fixture starts them anew
    assert "open files       at most 1024 on the node; Ray wants 4096; raise it with `ulimit -n`" in said


def test_a_driver_that_may_be_preempted_is_a_warning(doctor: Doctor) -> None:
    said = doctor.warnings("--wait", 0)
    assert "the driver would stand in low, which high may preempt" in said


def test_a_partition_that_is_full_is_a_warning_and_the_job_is_taken_back(doctor: Doctor) -> None:
    full = doctor.cluster.sbatch("-p", "high", "--array=1-3", "--exclusive", "--wrap=sleep 300")
    wait_until(lambda: set(doctor.cluster.squeue().values()) == {"RUNNING"}, "a full cluster")
    said = doctor.warnings("--wait", 2)
    assert "did not start within 2 s" in said
    assert "the checks on a node were left out; wait longer with --wait SECONDS" in said
    assert {full} == {job.partition("_")[0] for job in doctor.cluster.squeue()}


def test_an_account_that_is_not_yours_is_an_error_named_with_yours(
    slurm_with_accounting: Cluster, tmp_path: Path
) -> None:
    doctor = Doctor(slurm_with_accounting, tmp_path)
    said = doctor.error(account="egc")
    assert "account          egc is not yours; set account to one of: ecg" in said
    assert "refused by SLURM: allocation failure: Invalid account" in said
    done = doctor(account="ecg")
    assert 0 == done.returncode, done.stdout + done.stderr


def test_a_limit_of_submitted_jobs_below_the_workers_is_a_warning(
    slurm_with_accounting: Cluster, tmp_path: Path
) -> None:
    limit = ["sacctmgr", "-i", "modify", "user", "where", "account=ecg", "set"]
    slurm_with_accounting.ask(*limit, "MaxSubmitJobs=3")
    try:
        said = Doctor(slurm_with_accounting, tmp_path).warnings("--wait", 0, account="ecg")
    finally:
        slurm_with_accounting.ask(*limit, "MaxSubmitJobs=-1")
    assert "the account takes 3 jobs of yours at a time (MaxSubmitJobs)" in said
    assert "set workers.max to at most 1" in said


def test_nodes_on_other_addresses_are_reached_and_large_arrays_are_counted(
    slurm_programs: None, root: None, tmp_path: Path
) -> None:
    with running_cluster(Shape(nodes=2, own_networks=True, max_array_size=100)) as cluster:
        done = Doctor(cluster, tmp_path)(workers={"max": 201})
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "ok       arrays           MaxArraySize 100: 201 workers are 3 arrays" in done.stdout
    assert "ok       ports            a free port of node" in done.stdout


def test_a_machine_without_slurms_commands_is_an_error(tmp_path: Path) -> None:
    profile = written(tmp_path / "profile.yaml", plain_profile())
    done = orchestrate("doctor", "--cluster", profile, "--runs", tmp_path / "runs", PATH=str(tmp_path))
    assert 2 == done.returncode
    assert "error    SLURM            no such command here: sbatch, squeue, scancel, scontrol, sinfo" in done.stdout


def test_a_controller_that_does_not_answer_is_an_error(slurm_programs: None, tmp_path: Path) -> None:
    with running_cluster(Shape(nodes=1)) as cluster:
        os.kill(int((cluster.base / "run" / "slurmctld.pid").read_text()), signal.SIGKILL)
        done = Doctor(cluster, tmp_path)()
    assert 2 == done.returncode, done.stdout + done.stderr
    assert "error    SLURM            scontrol ping: Slurmctld(primary)" in done.stdout


def test_a_run_folder_that_cannot_be_written_is_an_error(doctor: Doctor) -> None:
    doctor.runs.write_text("a file")
    said = doctor.error()
    assert f"{doctor.runs}" in said
    assert "choose a folder of yours with --runs" in said
