"""The one small job of the doctor: it is queued, waited for, and answers through files of the run folder.

What the job cannot say by a file, since its node does not see the folder, it says by its exit code.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.atomic import write_text
from orchestrator.cluster.doctor import probe
from orchestrator.cluster.doctor.finding import one_line
from orchestrator.cluster.profile import ClusterProfile
from orchestrator.cluster.slurm import PATIENCE_S, ask, cancel_jobs, node_address, outside_any_job, told_of
from orchestrator.errors import RunFailed

FOLDER_NOT_SEEN = 41  # exit codes of the job
PYTHON_TOO_OLD = 42
PYTHON_NOT_FOUND = (126, 127)
NOTICED_WITHIN_S = 30.0  # so long a network disk may take to show a file
PACKAGES = ("orchestrate", "ray", "optuna", "numpy", "torch", "pydantic", "submitit", "psutil")
_NEVER_STARTS = re.compile(r"Invalid|NotAllowed|BadConstraints|PartitionTimeLimit|PartitionNodeLimit|NotPermitted")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. facts None: nothing, and `why` says what is known about that."""

    job: str
    facts: dict[str, Any] | None = None
    why: str = ""
    waited: bool = False  # in the queue for too long, which is no mistake
    code: int | None = None  # the job's exit code, where there was no answer
    node: str = ""
    queued_s: float = 0.0
    said: str = ""  # by set-up lines and Python
    skew_s: float | None = None
    lag_s: float | None = None  # how much later a file is seen on the other side, both ways together
    reached: bool = False  # a port of the node, from here
    lock_seen: bool = False  # the job's lock, here


@contextlib.contextmanager
def exchange_folder(runs: Path) -> Iterator[Path]:
    """Give a folder among the runs, with a name that no node can know by chance; remove it in the end."""
    made = [folder for folder in (runs, *runs.parents) if not folder.exists()]
    folder = runs / f".doctor-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for empty in made:  # what was not there before need not be there after
            with contextlib.suppress(OSError):
                empty.rmdir()


def send(profile: ClusterProfile, folder: Path) -> str:
    """Queue the job and return its number. Raises RunFailed where sbatch refuses it."""
    shutil.copyfile(probe.__file__, folder / "probe.py")
    script = folder / "job.sh"
    script.write_text(_script(profile, folder))
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", str(script)],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=outside_any_job(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RunFailed(f"sbatch: SLURM gave no answer in {PATIENCE_S} s") from None
    if done.returncode:
        raise RunFailed(one_line(done.stderr))
    return done.stdout.strip().partition(";")[0]


def _script(profile: ClusterProfile, folder: Path) -> str:
    """Return the job's script: a worker's partition and rights, but two minutes, one CPU and at most one GPU."""
    options = {
        "job-name": "orchestrate-doctor",
        "partition": profile.partition,
        "account": profile.account,
        "qos": profile.qos,
        "constraint": profile.constraint,
        "gres": profile.gpu_request(1),
        "time": "0:02:00",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": "1",
        "mem": "500M",
        "output": "/dev/null",  # a job whose output cannot be opened ends without a word
    }
    python = shlex.quote(profile.python or sys.executable)
    there = shlex.quote(str(folder))
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH --{name}={shlex.quote(value)}" for name, value in options.items() if value is not None),
            "#SBATCH --no-requeue",
            *(f"#SBATCH {_quoted(line)}" for line in profile.sbatch),
            f"[ -e {there}/probe.py ] || exit {FOLDER_NOT_SEEN}",
            f"exec > {there}/said.txt 2>&1",
            *profile.setup,
            f'{python} -c "import sys; sys.exit({PYTHON_TOO_OLD} * (sys.version_info < (3, 11)))" || exit $?',
            f"srun {python} {there}/probe.py {there} {shlex.quote(profile.temp)} {' '.join(PACKAGES)}",
            "",
        ]
    )


def _quoted(option: str) -> str:
    name, equals, value = option.partition("=")
    return f"{name}{equals}{shlex.quote(value)}" if equals else name


def answer_of(job: str, folder: Path, *, seconds: float) -> Answer:
    """Wait for the job, at most so many seconds for its start; in the end it is gone."""
    try:
        return _awaited(job, folder, seconds)
    finally:
        with contextlib.suppress(RunFailed):
            cancel_jobs([job])


def _awaited(job: str, folder: Path, seconds: float) -> Answer:
    begun = time.monotonic()
    started: float | None = None
    while True:
        if facts := _read(folder / "answer.json"):
            return _talked(job, folder, facts, seen_at=time.time(), queued_s=(started or time.monotonic()) - begun)
        told = _told(job)
        state, reason = told.get("JobState", "GONE"), told.get("Reason", "")
        if state == "PENDING":
            if _NEVER_STARTS.search(reason):
                return Answer(job=job, why=f"job {job} would never start ({reason})")
            if time.monotonic() - begun > seconds:
                why = f"job {job} did not start within {seconds:.0f} s ({reason or 'no reason is told'})"
                return Answer(job=job, why=why, waited=True)
        else:
            started = started or time.monotonic()
            if state not in ("RUNNING", "CONFIGURING", "COMPLETING"):
                return _silent(job, folder, told)
            if time.monotonic() - started > 2 * NOTICED_WITHIN_S:
                return _silent(job, folder, told)
        time.sleep(0.3)


def _silent(job: str, folder: Path, told: dict[str, str]) -> Answer:
    """The job has ended, or runs for too long, and there was no answer: perhaps it is only seen late."""
    code = int(told.get("ExitCode", "0").partition(":")[0])
    node, state = told.get("NodeList", ""), told.get("JobState", "GONE")
    said = _said(folder)
    deadline = time.monotonic() + (NOTICED_WITHIN_S if state == "COMPLETED" else 1)
    while time.monotonic() < deadline:
        if facts := _read(folder / "answer.json"):
            return Answer(job=job, node=node, facts=facts, said=said)
        time.sleep(0.1)
    last = one_line("\n".join(said.splitlines()[-3:]))
    why = f"job {job} is {state.lower()} with code {code} and without an answer: {last}"
    return Answer(job=job, node=node, code=code, why=why)


def _talked(job: str, folder: Path, facts: dict[str, Any], *, seen_at: float, queued_s: float) -> Answer:
    """Try port and lock while the job holds them, and measure what the two clocks and the disk between them do."""
    reached = _reached([*_addresses_of(facts["node"]), *facts["addresses"]], facts["port"])
    lock_seen = _is_locked(folder / "lock")
    read_at = time.time()
    write_text(folder / "read.json", json.dumps({"at": read_at}))
    deadline = time.monotonic() + NOTICED_WITHIN_S
    while (end := _read(folder / "end.json")) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    write_text(folder / "bye.json", "{}")
    said = _said(folder)
    there, back = seen_at - facts["at"], end["seen_at"] - read_at if end and end["read"] else None
    return Answer(
        job=job,
        node=facts["node"],
        facts=facts,
        queued_s=queued_s,
        said=said,
        # `there` is lag minus skew and `back` lag plus skew, where skew is how much the node's clock is ahead.
        skew_s=None if back is None else (back - there) / 2,
        lag_s=None if back is None else back + there,
        reached=reached,
        lock_seen=lock_seen,
    )


def _read(path: Path) -> dict[str, Any] | None:
    with contextlib.suppress(OSError):
        os.listdir(path.parent)  # a network disk may remember for a while that a file was not there
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    return None


def _said(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return (folder / "said.txt").read_text(errors="replace")
    return ""


def _told(job: str) -> dict[str, str]:
    try:
        return told_of(ask("scontrol", "show", "job", "--oneliner", job))
    except RunFailed:
        return {}


def _addresses_of(node: str) -> list[str]:
    with contextlib.suppress(RunFailed):
        return [address] if (address := node_address(node)) else []
    return []


def _reached(addresses: list[str], port: int) -> bool:
    for address in addresses:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=3):
            return True
    return False


def _is_locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
