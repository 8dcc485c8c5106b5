"""What tests of drivers with a Ray ask for."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def temp() -> Iterator[Path]:
    """For all that Ray leaves; its sockets leave no room for a long path."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as short:
        yield Path(short)
