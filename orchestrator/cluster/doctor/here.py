"""The machine on which jobs are submitted: SLURM's commands, the packages, the run folder."""

import importlib.metadata
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestrator.cluster.doctor.finding import Finding, error, ok, one_line, warning
from orchestrator.cluster.doctor.probe import kind_of, space
from orchestrator.cluster.slurm import ask
from orchestrator.errors import RunFailed

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
FIRST_RAY_WITH_TOKENS = (2, 52)
_MIB = 1024 * 1024


def commands() -> Iterator[Finding]:
    """Give whether SLURM's commands are here, and its version."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        way_out = "run doctor on a login node of the cluster, or load the module that has them"
        yield error("SLURM", f"no such command here: {', '.join(missing)}", way_out)
        return
    try:
        yield ok("SLURM", ask("sbatch", "--version").strip())
        ask("scontrol", "ping")
    except RunFailed as failure:
        if " is UP" in str(failure):  # one of several controllers
            return
        yield error("SLURM", one_line(str(failure)), "see whether SLURM works at all: `sinfo`; else ask the site")


def token_mode(where: str, version: str | None) -> Finding:
    """Return whether a version of Ray can refuse who has no token."""
    about = f"Ray {where}"
    needed = ".".join(map(str, FIRST_RAY_WITH_TOKENS))
    way_out = f"install ray >= {needed} (constraints.txt has a tested one): without tokens anybody on the nodes"
    way_out += " could run code as you"
    if version is None:
        return error(about, "is not installed", way_out)
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < FIRST_RAY_WITH_TOKENS:
        return error(about, f"{version} has no token mode", way_out)
    return ok(about, f"{version} has token mode")


def packages_here(names: tuple[str, ...]) -> dict[str, str | None]:
    """Return the versions of packages in this Python, None for those that are not there."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def run_folder(runs: Path, folder: Path) -> Iterator[Finding]:
    """Give whether files can be renamed in the run folder, and how much room it has."""
    beside, there = folder / ".renamed", folder / "renamed"
    beside.write_text("new")
    there.write_text("old")
    os.replace(beside, there)
    if there.read_text() != "new" or beside.exists():
        yield error("run folder", f"{runs} does not replace a file by renaming", "choose another disk with --runs")
    yield from room("run folder", str(runs), space(str(folder)), kind_of(str(folder)), least_mib=1024)


def room(about: str, path: str, found: dict[str, int | None], kind: str, *, least_mib: int) -> Iterator[Finding]:
    """Give whether a folder has free bytes and free inodes. Quotas of users are not seen by this."""
    free, inodes = found["free"], found["inodes"]
    if free is None:
        yield error(about, f"{path} cannot be examined", "see whether it exists and is yours")
        return
    if free < least_mib * _MIB:
        yield error(about, f"{path} has {free // _MIB} MiB free", f"make room: at least {least_mib} MiB")
    elif inodes is not None and inodes < 10_000:
        yield warning(about, f"{path} has {inodes} inodes free", "delete small files: a run writes thousands")
    else:
        counted = "" if inodes is None else f", {inodes:,} inodes"
        yield ok(about, f"{path} ({kind}): {free / 1024**3:,.0f} GiB{counted} free; a quota is not seen here")
