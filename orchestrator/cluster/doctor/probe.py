"""Looks around on a node, in a job, and answers through files: `python probe.py FOLDER TEMP PACKAGE...`

Runs as a file of its own: it imports the standard library only, since this package need not be there. It judges
nothing; node.py does.
"""

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

PATIENCE_S = 20  # for the submitting side to answer
RAY_BYTES = 62  # what Ray adds to its folder's path for a socket


def main(folder: str, temp: str, packages: list[str]) -> None:
    """Answer, then wait until the submitting side has read the answer and tried the port and the lock."""
    facts = {
        "node": os.environ.get("SLURMD_NODENAME", ""),
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "packages": {name: version_of(name) for name in packages},
        "package_found": importlib.util.find_spec("orchestrator") is not None,
        "temp": temp_facts(temp),
        "run_space": space(folder),
        "run_kind": kind_of(folder),
        "shm": space("/dev/shm"),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "processes": resource.getrlimit(resource.RLIMIT_NPROC),
        "gpus": os.environ.get("SLURM_STEP_GPUS") or os.environ.get("SLURM_JOB_GPUS") or "",
        "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "driver": gpu_driver(),
    }
    with open(os.path.join(folder, "lock"), "a") as lock, listening() as (port, addresses):
        facts["lock_error"] = locked(lock)
        facts["port"], facts["addresses"] = port, addresses
        write(folder, "answer", dict(facts, at=time.time()))
        asked = waited_for(os.path.join(folder, "read.json"))
        write(folder, "end", {"seen_at": time.time(), "read": asked})
        waited_for(os.path.join(folder, "bye.json"))  # the port and the lock are tried until then


def version_of(name: str) -> str | None:
    """Return the version of an installed package, None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def temp_facts(temp: str) -> dict[str, Any]:
    """Return whether a private folder and the longest socket of Ray can be made below temp; removes both."""
    facts: dict[str, Any] = {
        "exists": os.path.isdir(temp),
        "error": None,
        "mode": None,
        "socket_error": None,
        "kind": kind_of(temp),
    }
    if not facts["exists"]:
        return facts
    facts.update(space(temp))
    try:
        own = tempfile.mkdtemp(prefix="opr-", dir=temp)
    except OSError as error:
        facts["error"] = error.strerror
        return facts
    try:
        facts["mode"] = os.stat(own).st_mode & 0o777
        os.mkdir(os.path.join(own, "ray"))
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as end:
            end.bind(os.path.join(own, "ray", "s" * (RAY_BYTES - 1)))  # mkdtemp's names are as long as a run's
    except OSError as error:
        facts["socket_error"] = str(error)
    finally:
        shutil.rmtree(own, ignore_errors=True)
    return facts


def kind_of(path: str) -> str:
    """Return the kind of file system on which a path lies, as the kernel names it."""
    best = ("", "")
    with open("/proc/mounts") as mounts:
        for line in mounts:
            point, kind = line.split()[1:3]
            inside = os.path.realpath(path).startswith(point.rstrip("/") + "/") or point == os.path.realpath(path)
            if inside and len(point) >= len(best[0]):
                best = (point, kind)
    return best[1]


def space(path: str) -> dict[str, int | None]:
    """Return free bytes and free inodes; inodes is None where the file system does not count them."""
    try:
        found = os.statvfs(path)
    except OSError:
        return {"free": None, "inodes": None}
    return {"free": found.f_bavail * found.f_frsize, "inodes": found.f_favail if found.f_files else None}


def gpu_driver() -> str | None:
    """Return the driver's version and the GPUs as nvidia-smi tells them, None where it is not there or fails."""
    words = ["nvidia-smi", "--query-gpu=driver_version,name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() or None if done.returncode == 0 else None


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """Give a port that answers anybody's connection, and this node's names and addresses."""
    with contextlib.closing(socket.socket()) as server:
        server.bind(("", 0))
        server.listen(5)
        names = [os.environ.get("SLURMD_NODENAME", ""), socket.gethostname()]
        with contextlib.suppress(OSError):
            names += socket.gethostbyname_ex(socket.gethostname())[2]
        yield server.getsockname()[1], [name for name in dict.fromkeys(names) if name]


def locked(lock: IO[str]) -> str | None:
    """Lock a file for as long as it is open; return why that failed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.strerror
    return None


def write(folder: str, name: str, facts: dict[str, Any]) -> None:
    """Write a file beside its place and rename it into place."""
    beside = os.path.join(folder, "." + name)
    with open(beside, "w") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, os.path.join(folder, name + ".json"))


def waited_for(path: str) -> Any:
    """Return what a file says as soon as it is seen, None where that takes too long."""
    deadline = time.time() + PATIENCE_S
    while time.time() < deadline:
        with contextlib.suppress(OSError):
            os.listdir(os.path.dirname(path))  # a network disk may remember for a while that a file was not there
            with open(path) as file:
                return json.load(file)
        time.sleep(0.05)
    return None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
