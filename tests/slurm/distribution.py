"""Which test process runs what: tests on a SLURM in two, each on clusters of its own, others wherever there is room.

Pools that are disturbed take about as long as everything else on a SLURM, and both mostly wait. A third pool at a time
would find no room on a machine of two cores. (pytest-xdist's own groups, --dist=loadgroup, do nothing
with pytest 9.2, which took away the attribute that they write to.)
"""

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer


_DISTURBED = ("tests/slurm/test_survival.py", "tests/slurm/test_pool.py")


class SlurmInTwoProcesses(LoadScopeScheduling):
    """Tests of one scope are run by one process, the largest scope first; this makes two of tests/slurm."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_DISTURBED):
            return "disturbed pools"
        return "slurm" if nodeid.startswith("tests/slurm/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> SlurmInTwoProcesses:
    return SlurmInTwoProcesses(config, log)
