"""Which test process runs what: all tests on a SLURM in one, one after the other, the others wherever there is room.

A pool on a machine of two cores leaves no room for a second. (pytest-xdist's own groups, --dist=loadgroup, do nothing
with pytest 9.2, which took away the attribute that they write to.)
"""

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer


class SlurmInOneProcess(LoadScopeScheduling):
    """Tests of one scope are run by one process, the largest scope first; this makes tests/slurm one of them."""

    def _split_scope(self, nodeid: str) -> str:
        return "slurm" if nodeid.startswith("tests/slurm/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> SlurmInOneProcess:
    return SlurmInOneProcess(config, log)
