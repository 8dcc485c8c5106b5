"""A private Ray on this machine: own temporary folder, token authentication, no chatter, and nothing of it left behind.

Everything that this Ray starts inherits the path of its token, so its processes are known for certain by their
environment: a next start ends exactly those that a killed driver left, and never anybody else's.
"""

import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from orchestrator.atomic import write_json
from orchestrator.run_folder import RunFolder

_LONGEST_TEMP = 40  # bytes; Ray adds 62 to it, and a socket's path may have 107
_TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
_ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_SCHEDULER_EVENTS": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",  # with the default 2 s a fit that cleans up for longer hangs Tune for 600 s
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Tune's own snapshots are never read: the journal remembers
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


@contextlib.contextmanager
def local_ray(folder: RunFolder, *, cpus: int, threads: int) -> Iterator[Path]:
    """Start Ray with `cpus` CPUs and `threads` threads for each worker; give its temporary folder; end it."""
    temp = _temporary_folder()
    write_json(folder.processes, {"temp": str(temp)})
    before = dict(os.environ)
    try:
        token = temp / "token"  # beside Ray's own folder, which Ray opens to everybody
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32), encoding="ascii")
        os.environ.update(_ENVIRONMENT)
        os.environ.update({_TOKEN_PATH: str(token), "OMP_NUM_THREADS": str(threads)})
        _start(temp / "ray", cpus)
        yield temp
    finally:
        _stop()
        os.environ.clear()
        os.environ.update(before)
        _end_processes_of(temp)
        shutil.rmtree(temp, ignore_errors=True)
        folder.processes.unlink(missing_ok=True)


def clear_leftovers(folder: RunFolder) -> None:
    """End what a killed driver of this run left running and remove its files. For the holder of the run's lock."""
    try:
        temp = Path(json.loads(folder.processes.read_text())["temp"])
    except (OSError, ValueError, KeyError):
        return
    _end_processes_of(temp)
    shutil.rmtree(temp, ignore_errors=True)
    folder.processes.unlink(missing_ok=True)


def _temporary_folder() -> Path:
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > _LONGEST_TEMP - len("/orc-12345678/ray"):
        parent = "/tmp"
    return Path(tempfile.mkdtemp(prefix="orc-", dir=parent))


def _start(temp: Path, cpus: int) -> None:
    on_terminate = signal.getsignal(signal.SIGTERM)  # Ray puts its own in place, which ends the driver with code 15
    import ray  # here: it takes a second, and reads its environment when it is imported

    ray.init(
        num_cpus=cpus,
        num_gpus=0,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        configure_logging=True,
        object_store_memory=100_000_000,
        _temp_dir=str(temp),
        _node_ip_address="127.0.0.1",
    )
    signal.signal(signal.SIGTERM, on_terminate)
    for name in ("ray", "ray.tune", "ray.train", "ray.air"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _stop() -> None:
    import ray

    with contextlib.suppress(Exception):  # Ray may be half up or already gone; what is left is ended by its environment
        ray.shutdown()


def _end_processes_of(temp: Path) -> None:
    deadline = time.monotonic() + 5
    while (mine := _processes_of(temp)) and time.monotonic() < deadline:
        for process in mine:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.02)


def _processes_of(temp: Path) -> list[psutil.Process]:
    """Return the living processes that were started with this folder's token.

    The kernel gives a zombie no environment.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(_TOKEN_PATH, "").startswith(f"{temp}/") and process.pid != os.getpid():
                found.append(process)
    return found
