"""The executor on a Ray cluster that exists: this process is its guest, and ends nothing there that is not its own.

Its nodes must share the run folder and the data with this one. What ends our fits when this process is killed is Ray.
"""

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil

from orchestrator.errors import RayFailed, UserError
from orchestrator.execution.fresh_start import say
from orchestrator.execution.private_ray import CLEAN_UP, guest_folder
from orchestrator.execution.ray_connection import NodeView, alive_nodes, join, stop, views
from orchestrator.execution.ray_watch import RayWatch, lives
from orchestrator.history.run_folder import RunFolder
from orchestrator.interrupts import is_command

if TYPE_CHECKING:
    from orchestrator.execution.ray_tune import RayExecutor

CONNECT_S = 5.0
LOOK_EVERY_S = 5.0
SILENT_S = 30.0

_ENVIRONMENT = {
    "RAY_gcs_server_port_wait_time_s": "1"
}  # join once: Ray would ask twenty times, also with a wrong token


@contextlib.contextmanager
def existing_ray(folder: RunFolder, address: str, *, concurrency: int, threads: int) -> Iterator["RayExecutor"]:
    """Join the Ray whose GCS is at host:port, with `threads` CPUs for each fit, and a GPU where it has any; leave it.

    Raises UserError where it cannot be joined, has no room for a fit, or does not share the folder with this process.
    Where it is lost this command ends with exit code 1; a program that calls us gets RayFailed.
    """
    if not answers(address):
        raise UserError(f"--ray {address}: nothing answers there; the address is that of the cluster's GCS, HOST:6379")

    def lost(why: str) -> NoReturn:
        if not is_command():
            raise RayFailed(why)
        say(f"{why}; nothing is lost: the same command goes on, without --ray on this machine")
        os._exit(1)

    with guest_folder(**_ENVIRONMENT, TUNE_MAX_PENDING_TRIALS_PG=str(concurrency)) as temp:
        silence = _Silence(address)
        watch = RayWatch(temp, lost, dead=silence)
        try:
            with watch.watching() if is_command() else contextlib.nullcontext():
                silence.raylet = _raylet_at(join(address, temp, environment=_of_workers(threads)))
                watch.is_up()
                yield _executor(folder, address, temp, threads=threads)
        finally:
            stop(temp)


def answers(address: str) -> bool:
    """Return whether something takes connections at host:port."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except OSError:
        return False
    return True


def _of_workers(threads: int) -> dict[str, str]:
    """Return what workers get of this environment: theirs is otherwise that of the cluster."""
    paths = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    on_path = {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}
    return {"OMP_NUM_THREADS": str(threads), CLEAN_UP: os.environ[CLEAN_UP], **on_path}


def _executor(folder: RunFolder, address: str, temp: Path, *, threads: int) -> "RayExecutor":
    from orchestrator.execution.ray_tune import RayExecutor  # now: Ray reads its environment when it is imported

    nodes = alive_nodes()
    gpus = 1.0 if any(node["Resources"].get("GPU", 0) >= 1 for node in nodes) else 0.0
    executor = RayExecutor(temp=temp, cpus_per_fit=threads, gpus_per_fit=gpus)
    if not (with_room := [node for node in nodes if executor.slots_of(node["Resources"])]):
        wanted = f"{threads} CPUs" + (" and a GPU" if gpus else "")
        raise UserError(f"--ray {address}: no node there has {wanted} for a fit (cpus_per_fit: {threads})")
    content, probe = secrets.token_hex(), folder.path / "ray-probe"
    try:
        probe.write_text(content)
        refuse(address, folder.path, views(with_room, probe, content))
    finally:
        probe.unlink(missing_ok=True)
    return executor


def refuse(address: str, folder: Path, seen: list[NodeView]) -> None:
    """Raise UserError for the first node where a fit could not run: another version, or the folder is not shared."""
    ours = version("orchestrate")
    for view in seen:
        place = f"--ray {address}: on node {view.node}"
        if view.version != ours:
            there = f"orchestrate is {view.version}" if view.version else "orchestrate cannot be imported"
            raise UserError(f"{place} {there}, here it is {ours}; both must be the same: install it there")
        if not (view.reads and view.writes):
            cannot = "written" if view.reads else "read"
            raise UserError(
                f"{place} {folder} cannot be {cannot}; run folder and data must lie on a file system that all nodes "
                "share: --runs DIR names another place"
            )


class _Silence:
    """Says that the cluster is lost: the raylet here has died, or the GCS has taken no connection for a while.

    Asked often, it looks seldom. Ray itself would let this process hang, or end it after a minute.
    """

    def __init__(self, address: str) -> None:
        self.raylet: psutil.Process | None = None  # through which this process takes part
        self._address = address
        self._looked_at = self._answered_at = time.monotonic()

    def __call__(self) -> str | None:
        if self.raylet and not lives(self.raylet):
            return f"the Ray at {self._address} has lost its raylet on this machine"
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            if answers(self._address):
                self._answered_at = now
        silent = now - self._answered_at > SILENT_S
        return f"the Ray at {self._address} has not answered for {SILENT_S:g} s" if silent else None


def _raylet_at(socket_name: str) -> psutil.Process | None:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "raylet" and any(socket_name in word for word in process.cmdline()):
                return process
    return None
