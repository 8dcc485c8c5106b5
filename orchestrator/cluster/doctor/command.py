"""`orchestrate doctor`: everything that can be known before a job of a run is queued, one line for each thing.

Queues one job of a minute, and leaves nothing behind. Exit code 2 where a line is an error.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.options import add_command, add_shared_options

if TYPE_CHECKING:  # for annotations only: --help imports nothing of this
    from orchestrator.cluster.doctor.finding import Finding
    from orchestrator.cluster.profile import ClusterProfile

LONGEST_WAIT_S = 7 * 24 * 3600.0


def add_doctor_command(commands: Any) -> None:
    """Add `doctor` to the command line."""
    text = "show what would go wrong on a cluster, before anything is queued but one job of a minute"
    command = add_command(commands, "doctor", _doctor, text)
    command.add_argument("--cluster", type=Path, required=True, metavar="FILE", help="a YAML of slurm/")
    command.add_argument(
        "--wait", type=_seconds, default=120.0, metavar="SECONDS", help="for the job's start (default 120; 0: no job)"
    )
    add_shared_options(command)


def _doctor(given: argparse.Namespace) -> int:
    from orchestrator.cluster.profile import read_profile
    from orchestrator.history.run_folder import runs_root

    profile = read_profile(given.cluster)
    findings = []
    for finding in diagnose(profile, runs_root(given.runs), wait_s=given.wait):
        findings.append(finding)
        if not given.json:
            print(finding.line(), flush=True)
    count = {level: sum(finding.level == level for finding in findings) for level in ("error", "warning")}
    if given.json:
        print(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        print(f"{count['error']} errors, {count['warning']} warnings")
    return 2 if count["error"] else 0


def diagnose(profile: "ClusterProfile", runs: Path, *, wait_s: float) -> Iterator["Finding"]:
    """Give each finding as soon as it is known; what depends on something broken is left out."""
    from orchestrator.cluster.doctor import here, limits, site
    from orchestrator.cluster.doctor.finding import error, one_line
    from orchestrator.cluster.doctor.test_job import PACKAGES, exchange_folder
    from orchestrator.errors import RunFailed

    found = list(here.commands())
    yield from found
    versions = here.packages_here(PACKAGES)
    yield here.token_mode("here", versions["ray"])
    try:
        with exchange_folder(runs) as folder:
            yield from here.run_folder(runs, folder)
            if any(finding.level == "error" for finding in found):
                return
            try:
                examined = site.examined_site()
                found = list(limits.limits(profile, examined))
                yield from found
                refused = any(finding.level == "error" for finding in found)
                for verdict in _verdicts(profile, folder):
                    yield verdict
                    refused = refused or (verdict.level == "error" and verdict.about == "worker script")
            except RunFailed as failure:
                yield error("SLURM", one_line(str(failure)), "see whether SLURM works at all: `sinfo`")
                return
            if wait_s and not refused:
                yield from _answers_of_a_job(profile, runs, folder, versions, wait_s)
    except OSError as failure:
        yield error("run folder", f"{failure.filename}: {failure.strerror}", "choose a folder of yours with --runs")


def _verdicts(profile: "ClusterProfile", folder: Path) -> Iterator["Finding"]:
    """Hand both scripts as they would be submitted to the controller, which says what it would do with them."""
    from orchestrator.cluster.doctor import finding, site
    from orchestrator.cluster.sbatch import driver_parameters, script, worker_parameters

    texts = {"worker": worker_parameters(profile, "doctor"), "driver": driver_parameters(profile, "doctor")}
    for role, wanted in texts.items():
        path = folder / f"{role}.sh"
        path.write_text(script(profile, wanted, folder))
        taken, said = site.verdict(path)
        about = f"{role} script"
        if taken:
            yield finding.ok(about, f"accepted: {said}")
        else:
            yield finding.error(about, f"refused by SLURM: {said}", "correct the profile's key that it is about")


def _answers_of_a_job(
    profile: "ClusterProfile", runs: Path, folder: Path, here: dict[str, str | None], wait_s: float
) -> Iterator["Finding"]:
    from orchestrator.cluster.doctor import finding, node, test_job
    from orchestrator.errors import RunFailed

    try:
        job = test_job.send(profile, folder)
    except RunFailed as failure:
        yield finding.error("job", f"sbatch refused it: {failure}", "correct the profile's key that it is about")
        return
    yield finding.ok("job", f"{job} is queued in {profile.partition}, to look around on a node; waiting {wait_s:.0f} s")
    yield from node.judged(test_job.answer_of(job, folder, seconds=wait_s), profile, runs, here)


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number <= LONGEST_WAIT_S:
        raise argparse.ArgumentTypeError(f"must be from 0 to {LONGEST_WAIT_S:.0f}, got {text}")
    return number
