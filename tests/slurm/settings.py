"""The files that a SLURM of our own reads: what may be chosen about it, and the text that SLURM makes of it."""

import getpass
import os
import random
import secrets
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

# Character devices that anybody may use: who is not root cannot make some, and SLURM takes nothing else for a GPU.
_BORROWED = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a test may choose about its cluster."""

    nodes: int = 3
    cpus: int = 8  # per node; more than the machine has is fine
    gpus: int = 2  # per node, at most six where the user is not root
    memory_mb: int = 8000  # per node
    accounting: bool = False  # slurmdbd and MariaDB, with associations enforced
    own_networks: bool = False  # a network and a host name for each node; needs root
    max_array_size: int = 1001
    grace_seconds: int = 0  # of a preempted job in `low`
    lines: tuple[str, ...] = ()  # further lines of slurm.conf

    @property
    def node_names(self) -> tuple[str, ...]:
        """The nodes' names."""
        return tuple(f"node{number}" for number in range(1, self.nodes + 1))


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the daemons listen."""

    controller: str
    nodes: tuple[str, ...]
    controller_port: int
    node_ports: tuple[int, ...]
    accounting_port: int
    database_port: int


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, outside the ranges from which the kernel and Ray's workers take theirs.

    (32768 to 60999 and 10002 to 19999: a slurmd that is started anew would find its port taken.)
    """
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 2_000):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            break
    return found


def write_settings(base: Path, shape: Shape, addresses: Addresses) -> None:
    """Write slurm.conf and the files beside it, and make the folders and devices that they name."""
    for name in ("state", "spool", "log", "run", "munge", "dev"):
        (base / name).mkdir(mode=0o755)
    key = base / "munge" / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    gpus = [
        f"NodeName={node} Name=gpu Type=fake File={_device(base / 'dev' / f'{node}-gpu{index}', index)}"
        for node in shape.node_names
        for index in range(shape.gpus)
    ]
    (base / "gres.conf").write_text("\n".join([*gpus, ""]))
    # No cgroups are used, but slurmd looks for them unless told which kind there is.
    (base / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
    (base / "slurm.conf").write_text(_slurm_conf(base, shape, addresses))


def _device(path: Path, index: int) -> Path:
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))  # a null device with a name of its own
        path.chmod(0o666)
    except PermissionError:
        return Path(_BORROWED[index])
    return path


def _slurm_conf(base: Path, shape: Shape, addresses: Addresses) -> str:
    me = getpass.getuser()
    accounting = "AccountingStorageType=accounting_storage/none"
    if shape.accounting:
        # The socket stands there because AuthInfo is not used for the connection to slurmdbd.
        accounting = f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={addresses.accounting_port}
AccountingStoragePass={base}/run/munge.socket
AccountingStorageEnforce=associations,limits"""
    gres = f"Gres=gpu:fake:{shape.gpus} " if shape.gpus else ""
    nodes = [
        f"NodeName={name} NodeAddr={address} Port={port} CPUs={shape.cpus} RealMemory={shape.memory_mb} "
        f"{gres}State=UNKNOWN"
        for name, address, port in zip(shape.node_names, addresses.nodes, addresses.node_ports, strict=True)
    ]
    return f"""\
ClusterName=test
SlurmctldHost={socket.gethostname().split(".")[0]}({addresses.controller})
SlurmctldPort={addresses.controller_port}
SlurmUser={me}
SlurmdUser={me}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={base}/run/munge.socket,cred_expire=5
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool/%n
SlurmctldPidFile={base}/run/slurmctld.pid
SlurmdPidFile={base}/run/slurmd-%n.pid
SlurmctldLogFile={base}/log/slurmctld.log
SlurmdLogFile={base}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
PropagateResourceLimits=NONE
MaxArraySize={shape.max_array_size}
# Everything below is a tenth of what sites have, so that a test sees the end of it.
SlurmdTimeout=20
SlurmctldTimeout=20
InactiveLimit=0
KillWait=5
MinJobAge=300
CompleteWait=0
UnkillableStepTimeout=30
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2,sched_min_interval=200000
{accounting}
{chr(10).join(shape.lines)}
{chr(10).join(nodes)}
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE \
GraceTime={shape.grace_seconds} DefMemPerCPU=500 State=UP
PartitionName=short Nodes=ALL Default=NO MaxTime=1 PriorityTier=1 PreemptMode=REQUEUE DefMemPerCPU=500 State=UP
PartitionName=high Nodes=ALL Default=NO MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF DefMemPerCPU=500 State=UP
"""
