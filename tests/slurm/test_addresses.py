"""A node is told to others by an address at which they reach it."""

import sys
from pathlib import Path

from tests.slurm.cluster import running_cluster
from tests.slurm.settings import Shape

ADDRESS = "from orchestrator.cluster.slurm import own_address; print(own_address())"


def test_a_node_whose_own_name_has_a_loopback_address_still_gives_the_one_on_the_network(
    slurm_programs: None, root: None, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.1.1 node1\n")  # as Debian's installer writes it
    with running_cluster(Shape(nodes=1, own_networks=True)) as cluster:
        assert cluster.networks is not None
        cluster.stop_node("node1")
        cluster.start_node("node1", mounts=[f"mount --bind {hosts} /etc/hosts"])
        cluster.wait_for_nodes()
        on_node = ["srun", "--nodelist=node1"]
        assert "127.0.1.1" in cluster.ask(*on_node, "getent", "hosts", "node1")
        for without in ([], ["env", "-u", "SLURMD_NODENAME"]):
            said = cluster.ask(*on_node, *without, sys.executable, "-c", ADDRESS)
            assert cluster.networks.addresses[0] == said
