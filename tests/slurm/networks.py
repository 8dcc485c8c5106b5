"""A network and a host name for each node of a cluster on one machine: real addresses, and no port clashes with here.

Needs root. Folders, shared memory and process numbers stay common.
"""

import random
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Networks:
    """A bridge with the controller's address and a network namespace for each node, all named after one number."""

    number: int
    nodes: int

    @property
    def controller(self) -> str:
        """The address at which the nodes find this machine."""
        return f"10.99.{self.number}.254"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The nodes' addresses."""
        return tuple(f"10.99.{self.number}.{node}" for node in range(1, self.nodes + 1))

    def namespace(self, node: int) -> str:
        """Return the name of the network namespace of node 1, 2, ..."""
        return f"slurm{self.number}n{node}"

    def up(self) -> None:
        """Make them; the bridge is there since the number was claimed."""
        bridge = f"slurm{self.number}"
        _ip("addr", "add", f"{self.controller}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for node, address in enumerate(self.addresses, 1):
            inside = self.namespace(node)
            cable = f"{bridge}v{node}"
            _ip("netns", "add", inside)
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", inside)
            _ip("link", "set", cable, "master", bridge, "up")
            _ip("-n", inside, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", inside, "link", "set", "eth0", "up")
            _ip("-n", inside, "link", "set", "lo", "up")

    def down(self) -> None:
        """Remove them, however many of them there are."""
        for node in range(1, self.nodes + 1):
            _ip("link", "del", f"slurm{self.number}v{node}", check=False)
            _ip("netns", "del", self.namespace(node), check=False)
        _ip("link", "del", f"slurm{self.number}", check=False)


def claimed_number() -> int:
    """Return a number whose addresses nobody on this machine has, and make its bridge: of two who try, one gets it."""
    taken = _ip("-o", "-4", "addr")
    free = [number for number in range(200) if f" 10.99.{number}." not in taken]
    for number in random.sample(free, len(free)):
        done = _ip_run("link", "add", f"slurm{number}", "type", "bridge")
        if done.returncode == 0:
            return number
        if "File exists" not in done.stderr:
            raise RuntimeError(f"ip link add: {done.stderr.strip()}")
    raise RuntimeError("every network 10.99.N is taken")


def _ip_run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=60, check=False)


def _ip(*words: str, check: bool = True) -> str:
    done = _ip_run(*words)
    if check and done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
