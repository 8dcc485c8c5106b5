"""What every test may ask for."""

import os
import resource
import signal
from pathlib import Path

import pytest

from tests.faults.fault_table import pytest_terminal_summary as pytest_terminal_summary
from tests.slurm.distribution import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

# Workers of a Ray that is killed abort; their images, of more than a gigabyte, would lie in the working directory.
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

# A shell that starts tests in the background has them ignore Ctrl-C, and so would the drivers to which they send it.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of the real recordings: $ECG_DATA, or shared/data beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ECG_DATA", beside))
    if not (folder / "ptbxl500").is_dir():
        pytest.skip(f"needs the real recordings: {folder} has no ptbxl500 (set ECG_DATA to their folder)")
    return folder
