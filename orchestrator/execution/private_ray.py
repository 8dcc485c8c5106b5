"""A Ray of our own: private temporary folder, token authentication, no chatter, and nothing of it left behind.

Of a Ray that is not ours a guest has the same but for the token, which is the user's.

Everything that such a Ray starts inherits the path of its token, so its processes are known for certain by their
environment, and never anybody else's are ended. The folder is locked while its owner lives: a next start, of whatever
run, removes the folders of owners that were killed, and ends what they left.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from orchestrator.errors import RunFailed, UserError

LONGEST_TEMP = 40  # bytes; Ray adds 62 to it, and a socket's path may have 107
OWN_FOLDER = "/opr-12345678/ray"  # what is added to the folder for temporary files
ROOM, ROOM_FILES = 20_000_000, 200  # bytes and files that a Ray needs at least for itself
TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
_ENVIRONMENT = {
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_ALLOW_REGEX": "",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what agents say of a raylet's death: the last 20 lines of its log, on stdout
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_SCHEDULER_EVENTS": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Tune's own snapshots are never read: the journal remembers
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}
# For a fit that was told to stop: with Tune's default of 2 s one that cleans up for longer hangs it for 600 s.
CLEAN_UP = "TUNE_FUNCTION_THREAD_TIMEOUT_S"


def has_token() -> bool:
    """Return whether this environment holds the token of a Ray, or the path of one."""
    return "RAY_AUTH_TOKEN" in os.environ or TOKEN_PATH in os.environ


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_hex(32)


@contextlib.contextmanager
def private_folder(token: str, *, parent: str | None = None, **environment: str) -> Iterator[Path]:
    """Give a private folder for one Ray, with os.environ set for it; in the end its processes and the folder are gone.

    Ray's own files belong below `ray` in it, which Ray opens to everybody; the token lies beside that.
    Raises RunFailed where there is no room for it: Ray's processes would die of it one by one.
    """
    with _own_folder(parent) as temp, _own_environment():
        token_file = temp / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(token, encoding="ascii")
        os.environ.pop("RAY_AUTH_TOKEN", None)  # of a user's other Ray: it goes before our token's file
        os.environ.update({**_ENVIRONMENT, "RAY_AUTH_MODE": "token", TOKEN_PATH: str(token_file), **environment})
        yield temp


@contextlib.contextmanager
def guest_folder(**environment: str) -> Iterator[Path]:
    """Give a private folder to a guest of a Ray that is not ours, with os.environ set for it; in the end it is gone.

    The token stays where the user's environment has it: one that is there is shown to that Ray. Raises UserError where
    the file that should hold it cannot be read, of which Ray would die.
    """
    if "RAY_AUTH_TOKEN" not in os.environ and TOKEN_PATH in os.environ:
        try:
            Path(os.environ[TOKEN_PATH]).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            raise UserError(f"{TOKEN_PATH}={os.environ[TOKEN_PATH]}: must be a file with a Ray's token") from None
    with _own_folder(None) as temp, _own_environment():
        (temp / "tune").mkdir()
        if has_token():
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.update({**_ENVIRONMENT, **environment})
        yield temp


@contextlib.contextmanager
def _own_folder(parent: str | None) -> Iterator[Path]:
    parent = parent or _temp_parent()
    clear_leftovers(parent)
    _refuse_full(parent)
    temp = Path(tempfile.mkdtemp(prefix="opr-", dir=parent))
    lock = _locked(temp)
    try:
        yield temp
    finally:
        end_processes_of(temp)
        shutil.rmtree(temp, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    try:
        os.environ.pop("RAY_ADDRESS", None)  # it would be joined instead of the one that is meant
        os.environ.setdefault(CLEAN_UP, "60")
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def clear_leftovers(parent: str | None = None) -> None:
    """End what killed owners of this user left running on this machine, and remove their folders."""
    for temp in Path(parent or _temp_parent()).glob("opr-*"):
        with contextlib.suppress(OSError):  # another start clears the same one
            if temp.stat().st_uid != os.getuid() or not any(temp.iterdir()):
                continue  # somebody else's, or so new that its owner has not locked it yet
            if (lock := _locked(temp)) is not None:
                end_processes_of(temp)
                shutil.rmtree(temp, ignore_errors=True)
                os.close(lock)


def end_processes_of(temp: Path) -> None:
    """Kill every process that was started with this folder's token."""
    deadline = time.monotonic() + 5
    while (mine := _processes_of(temp)) and time.monotonic() < deadline:
        for process in mine:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.02)


def _temp_parent() -> str:
    parent = tempfile.gettempdir()
    return "/tmp" if len(os.fsencode(parent + OWN_FOLDER)) > LONGEST_TEMP else parent


def _refuse_full(parent: str) -> None:
    disk = os.statvfs(parent)
    room, files = disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else ROOM_FILES  # some count none
    if room < ROOM or files < ROOM_FILES:
        raise RunFailed(
            f"{parent}: Ray's temporary files need room for {ROOM // 1_000_000} MB in {ROOM_FILES} files, got "
            f"{room / 1_000_000:.1f} MB in {files} files; make room, or let TMPDIR name another folder, "
            "then give the same command again"
        )


def _locked(temp: Path) -> int | None:
    """Lock a folder; None where its owner lives, and has it. A dead owner's lock is given back by the kernel."""
    file = os.open(temp, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _processes_of(temp: Path) -> list[psutil.Process]:
    """Return the living processes that were started with this folder's token.

    The kernel gives a zombie no environment.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(TOKEN_PATH, "").startswith(f"{temp}/") and process.pid != os.getpid():
                found.append(process)
    return found
