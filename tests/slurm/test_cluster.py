"""The cluster that the other tests use is a real one: jobs, GPUs, preemption, accounting, networks, dying nodes."""

import subprocess
import sys
from pathlib import Path

from tests.slurm.cluster import Cluster, running_cluster, wait_until
from tests.slurm.settings import Shape


def test_a_job_runs_on_each_node_and_sees_the_gpu_that_it_asked_for(slurm: Cluster, tmp_path: Path) -> None:
    command = f'echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES > "{tmp_path}/$SLURMD_NODENAME"'
    for node in slurm.nodes:
        slurm.sbatch("--nodelist", node, "--gres=gpu:fake:1", f"--wrap={command}")
    wait_until(lambda: len(list(tmp_path.iterdir())) == len(slurm.nodes) and not slurm.squeue(), "three jobs")
    assert [f"{node} 0\n" for node in slurm.nodes] == [(tmp_path / node).read_text() for node in slurm.nodes]


def test_a_job_of_high_preempts_one_of_low_which_is_queued_again(slurm: Cluster) -> None:
    low = slurm.sbatch("--nodelist=node1", "--gpus=2", "--wrap=sleep 300")
    wait_until(lambda: slurm.state_of(low) == "RUNNING", "the low job")
    high = slurm.sbatch("-p", "high", "--nodelist=node1", "--gpus=2", "--wrap=sleep 300")
    wait_until(lambda: slurm.state_of(high) == "RUNNING", "the high job")
    wait_until(lambda: slurm.state_of(low) == "PENDING", "the low job in the queue again")


def test_a_dead_node_leaves_no_process_and_comes_back(slurm: Cluster) -> None:
    job = slurm.sbatch("--nodelist=node2", "--wrap=sleep 300")
    wait_until(lambda: slurm.state_of(job) == "RUNNING" and bool(slurm.job_processes()), "the job")
    slurm.kill_node("node2")
    wait_until(lambda: slurm.node_pid("node2") is None and not slurm.job_processes(), "the node's death")
    slurm.clear()
    assert slurm.node_pid("node2") is not None
    assert {} == slurm.squeue()


def test_clusters_stand_side_by_side_and_the_end_of_one_leaves_the_other(slurm: Cluster) -> None:
    with running_cluster(Shape(nodes=1, gpus=0, max_array_size=100)) as other:
        assert other.run("sbatch", "--array=0-100", "--wrap=true").returncode
        assert not other.run("sbatch", "--array=0-99", "--wrap=sleep 300").returncode
        assert {} == slurm.squeue()
        base = other.base
    assert not base.exists()
    slurm.wait_for_nodes()


def test_a_cluster_is_started_and_stopped_in_a_shell(slurm_programs: None) -> None:
    script = """
        eval "$("$0" -m tests.slurm.cluster start --nodes 2)" && sinfo -h -N -p low -o %N
        "$0" -m tests.slurm.cluster stop && ls "$(dirname "$SLURM_CONF")"
    """
    words = ["bash", "-c", script, sys.executable]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert "node1\nnode2\n" == done.stdout
    assert "No such file or directory" in done.stderr


def test_nodes_may_have_networks_of_their_own(slurm_programs: None, root: None, tmp_path: Path) -> None:
    with running_cluster(Shape(nodes=2, own_networks=True)) as cluster:
        assert cluster.networks is not None
        cluster.sbatch("--nodelist=node2", f"--wrap=hostname > {tmp_path}/name; hostname -I > {tmp_path}/address")
        wait_until(lambda: (tmp_path / "address").exists() and not cluster.squeue(), "the job")
        assert "node2\n" == (tmp_path / "name").read_text()
        assert cluster.networks.addresses[1] in (tmp_path / "address").read_text().split()


def test_a_node_may_be_blind_to_a_folder(slurm: Cluster, root: None, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "file").touch()
    slurm.stop_node("node3")
    slurm.start_node("node3", hiding=hidden)
    slurm.wait_for_nodes()
    for node in ("node2", "node3"):
        slurm.sbatch(f"--nodelist={node}", f"--wrap=ls {hidden} > {tmp_path}/{node}")
    wait_until(lambda: (tmp_path / "node2").exists() and (tmp_path / "node3").exists() and not slurm.squeue(), "jobs")
    assert ("file\n", "") == ((tmp_path / "node2").read_text(), (tmp_path / "node3").read_text())
    slurm.stop_node("node3")  # the fixture starts it anew


def test_accounting_knows_a_job_that_has_ended(slurm_with_accounting: Cluster) -> None:
    job = slurm_with_accounting.sbatch("--account=ecg", "--wrap=exit 3")
    ask = ["sacct", "-n", "-X", "-j", job, "-o", "state,exitcode", "-P"]
    wait_until(lambda: slurm_with_accounting.run(*ask).stdout == "FAILED|3:0\n", "sacct")
    assert slurm_with_accounting.run("sbatch", "--account=nobody", "--wrap=true").returncode
