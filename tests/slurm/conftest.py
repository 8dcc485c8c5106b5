"""A real SLURM for every test that asks for one; without SLURM's programs those tests are skipped with the reason."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.slurm.accounting import PROGRAMS
from tests.slurm.cluster import Cluster, running_cluster
from tests.slurm.settings import Shape


def _needs(programs: tuple[str, ...], way_out: str) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [name for name in programs if shutil.which(name, path=path) is None]
    if not missing:
        return
    reason = f"needs {', '.join(missing)} ({way_out}; `make slurm-packages` does it)"
    if os.environ.get("SLURM_TESTS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for a cluster, whatever it calls it."""
    for item in items:
        if "slurm_programs" in getattr(item, "fixturenames", ()):
            item.add_marker("slurm")


@pytest.fixture(scope="session")
def slurm_programs() -> None:
    """That SLURM's programs are installed; where SLURM_TESTS=required, their absence is a failure."""
    _needs(("slurmctld", "slurmd", "munged", "sbatch"), "apt-get install slurm-wlm munge")


@pytest.fixture(scope="session")
def root() -> None:
    """That mounts, networks and other users' processes are in our power."""
    if os.getuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session")
def _shared_cluster(slurm_programs: None) -> Iterator[Cluster]:
    with running_cluster(Shape()) as cluster:
        yield cluster


@pytest.fixture
def slurm(_shared_cluster: Cluster) -> Iterator[Cluster]:
    """Three nodes of 8 CPUs and 2 fake GPUs, partitions low, short and high; empty before and after the test."""
    yield _shared_cluster
    _shared_cluster.clear()


@pytest.fixture(scope="session")
def _shared_cluster_with_accounting(slurm_programs: None) -> Iterator[Cluster]:
    _needs(PROGRAMS, "apt-get install slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core")
    with running_cluster(Shape(accounting=True)) as cluster:
        yield cluster


@pytest.fixture
def slurm_with_accounting(_shared_cluster_with_accounting: Cluster) -> Iterator[Cluster]:
    """The same with slurmdbd, on which only the account `ecg` exists."""
    yield _shared_cluster_with_accounting
    _shared_cluster_with_accounting.clear()
