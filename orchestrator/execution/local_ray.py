"""The executor on this machine: a private Ray that lives as long as the driver."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.execution.private_ray import new_token, private_folder, start, stop

if TYPE_CHECKING:
    from orchestrator.execution.ray_tune import RayExecutor

# Ray makes 127.0.0.1 the machine's own address and then listens on every address, unless it is told, as by default on
# macOS and Windows, that there will be no second machine.
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@contextlib.contextmanager
def local_ray(*, cpus: int, threads: int) -> Iterator["RayExecutor"]:
    """Start Ray with `cpus` CPUs and `threads` threads for each fit; give what executes searches on it; end it."""
    with private_folder(new_token(), OMP_NUM_THREADS=str(threads), **_LOOPBACK_ONLY) as temp:
        try:
            start(temp, cpus=cpus)
            from orchestrator.execution.ray_tune import (
                RayExecutor,  # now: Ray reads its environment when it is imported
            )

            yield RayExecutor(temp=temp, cpus_per_fit=threads, driver=os.getpid())
        finally:
            stop()
