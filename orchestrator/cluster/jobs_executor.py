"""The executor where a site forbids Ray's network: each fit is a job of its own, under the same journal.

A fit's job writes its reports into the fit's folder, and the driver reads them there. Nobody is stopped early, and each
fit waits in the queue. Jobs that ran on while there was no driver are taken up by the next one.
"""

import json
import logging
import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.atomic import write_json
from orchestrator.cluster.queue import NotSubmitted, Queue
from orchestrator.cluster.run_files import RunFiles
from orchestrator.cluster.slurm import Job, cancel_jobs
from orchestrator.errors import RunFailed, UserError
from orchestrator.history.failures import Failure
from orchestrator.history.records import FitKey
from orchestrator.search.search import Search
from orchestrator.search.silence import Silences, longest_silence
from orchestrator.specs.specs import TaskSpec
from orchestrator.task import Fit, fit_to_json

log = logging.getLogger(__name__)

POLL_S = 2.0
GONE_AFTER = 2  # polls in a row without a trace of a job: one missing line of squeue means nothing
MOST_REFUSED = 5  # submissions in a row that SLURM refused, while no job is there
_ENDED_BY = {  # SLURM's states of jobs that ended without a word
    "TIMEOUT": Failure.WALL_TIME,
    "DEADLINE": Failure.WALL_TIME,
    "PREEMPTED": Failure.PREEMPTED,
    "NODE_FAIL": Failure.NODE,
    "BOOT_FAIL": Failure.NODE,
    "OUT_OF_MEMORY": Failure.HOST_MEMORY,
}


@dataclass
class _Running:
    """One fit whose job runs or waits."""

    name: str
    folder: Path
    request: Path | None = None  # still to be submitted
    read: int = 0  # lines of reports.jsonl
    missed: int = 0  # polls in a row without a trace of the job
    is_begun: bool = False  # its job was seen to run: before, what lies there is of an earlier one
    stalled: str = ""  # what is said of it when the end of its job is near: it was cancelled for being silent


class JobsExecutor:
    """Runs fits as jobs, at most as many at a time as the profile has workers."""

    def __init__(self, files: RunFiles, *, most: int, gpus_per_fit: float) -> None:
        self._files, self._queue, self._most, self._gpus_per_fit = files, Queue(files), most, gpus_per_fit
        self._refused = 0
        self._silences = Silences[FitKey]()

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left, or its budget is spent."""
        search.spending.each_fit_has(self._gpus_per_fit, noted_in=search.folder)
        running: dict[FitKey, _Running] = {}
        while True:
            while len(running) < self._most and (following := search.next_fit(waits=True)):
                key, fit = following
                running[key] = _begun(_name(search, key), search.spec.task, fit)
            if not running:
                return
            jobs = self._jobs()
            if jobs is not None:
                self._submit(list(running.values()), jobs)
            for key, one in list(running.items()):
                if self._follow(search, key, one, jobs):
                    del running[key]
            if jobs is not None:
                self._end_silent(search, running, jobs)
            time.sleep(POLL_S)

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task in a job and return what it returns."""
        folder = self._files.path / "calls" / uuid.uuid4().hex[:8]
        folder.mkdir(mode=0o700, parents=True)
        one = _Running(f"{method}-{folder.name}", folder)
        paths = [list(map(str, value)) if isinstance(value, list) else str(value) for value in values]
        request = {"name": one.name, "task": task.model_dump_json(by_alias=True), "method": method, "values": paths}
        write_json(folder / "request.json", request)
        self._queue.submit(requests=[folder / "request.json"])
        while not (folder / "ended.json").exists():
            self._miss(one, self._jobs())
            if one.missed > GONE_AFTER:
                raise RunFailed(f"{task.name}.{method}: its job ended without a result; the driver's log says more")
            time.sleep(POLL_S)
        ended = json.loads((folder / "ended.json").read_text())
        if ended["kind"] == "mistake":
            raise UserError(*ended["message"].splitlines())
        if ended["kind"] != "returned":
            raise RunFailed(f"{task.name}.{method} failed: {ended['message']}")
        return ended["value"]

    def _jobs(self) -> dict[str, Job] | None:
        """Return the newest job of each fit or call; None where SLURM does not answer, which says nothing of them."""
        try:
            return {
                job.comment: job for job in sorted(self._queue.jobs()[1], key=lambda job: (job.is_alive, job.number))
            }
        except RunFailed as error:
            log.warning("%s", error)
            return None

    def _submit(self, running: list[_Running], jobs: dict[str, Job]) -> None:
        """Submit what has no job yet. Of several, SLURM may refuse the last: the queue shows which are there."""
        for one in running:
            if _lives(one, jobs):
                one.request = None
        waiting = [one for one in running if one.request is not None]
        if not waiting:
            return
        try:
            self._queue.submit(requests=[one.request for one in waiting if one.request is not None])
        except NotSubmitted as error:
            self._refused += 1
            if self._refused >= MOST_REFUSED and not any(job.is_alive for job in jobs.values()):
                raise
            log.warning("%s", error)
        else:
            self._refused = 0
            for one in waiting:
                one.request = None

    def _follow(self, search: Search, key: FitKey, one: _Running, jobs: dict[str, Job] | None) -> bool:
        """Hand on what the fit reported; return whether it is over."""
        # Listed, and before the reports are read: the last ones are there then. A network disk may remember for a
        # minute that a file was not there, but lists a folder as it is.
        over = one.folder.is_dir() and "ended.json" in os.listdir(one.folder)  # a fit may have deleted its folder
        self._miss(one, jobs)
        one.is_begun = one.is_begun or (jobs is not None and _runs(one, jobs))
        readable = over or one.is_begun or one.missed > GONE_AFTER
        if readable and self._reports(search, key, one) and not over:
            cancel_jobs([jobs[one.name].id] if jobs and _lives(one, jobs) else [])
            search.returned(key)
            return True
        if over:
            content = json.loads((one.folder / "ended.json").read_text(encoding="utf-8"))
            (one.folder / "ended.json").unlink()
            if content["kind"] == "disk_full":
                raise RunFailed(f"{content['message']}; nothing is lost: make room, then `orchestrate resume` goes on")
            if content["kind"] == "lost":
                search.lost(key, content["message"], Failure(content["failure"]))
            elif content["kind"] == "failed":
                search.failed(key, content["message"])
            else:
                search.returned(key)
            return True
        if one.missed > GONE_AFTER:
            state = jobs[one.name].state if jobs and one.name in jobs else ""
            how = Failure.STALLED if one.stalled else _ENDED_BY.get(state, Failure.WORKER)
            search.lost(key, one.stalled or "its job ended without a word: see its log", how)
            return True
        return False

    def _miss(self, one: _Running, jobs: dict[str, Job] | None) -> None:
        if jobs is not None and one.request is None:
            one.missed = 0 if _lives(one, jobs) else one.missed + 1

    def _end_silent(self, search: Search, running: dict[FitKey, _Running], jobs: dict[str, Job]) -> None:
        """Cancel the jobs of fits that have been silent for too long. They are lost when their jobs are gone."""
        at_work = {key: one for key, one in running.items() if _runs(one, jobs)}
        for key, silent in self._silences.look(at_work, now=time.monotonic()).items():
            most = longest_silence(search.spec.stall_s, search.ledger, search.ledger.fit(key))
            if silent > most and not at_work[key].stalled:
                try:
                    cancel_jobs([jobs[at_work[key].name].id])
                except RunFailed as error:
                    log.warning("%s", error)  # the next look tries again
                else:
                    at_work[key].stalled = f"it neither reported nor ended for {most:.0f} s"

    def _reports(self, search: Search, key: FitKey, one: _Running) -> bool:
        """Read what is new; return whether the fit must stop. What was read before is only compared."""
        path = one.folder / "reports.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        whole = [line for line in lines if line.endswith("\n")]
        stop = False
        for line in whole[one.read :]:
            try:
                said = json.loads(line)
            except ValueError:  # torn by the death of an earlier job's node
                continue
            if "begun" in said:
                search.begun(key)
                continue
            stop = search.reported(key, said["step"], said["metrics"], said["checkpoint"])
        if len(whole) > one.read:
            self._silences.heard(key)
        one.read = len(whole)
        return stop


def _lives(one: _Running, jobs: dict[str, Job]) -> bool:
    return one.name in jobs and jobs[one.name].is_alive


def _runs(one: _Running, jobs: dict[str, Job]) -> bool:
    return _lives(one, jobs) and not jobs[one.name].is_pending


def _name(search: Search, key: FitKey) -> str:
    return f"{search.folder.name}-trial{key.trial}-seed{key.seed}-fold{key.fold}"


def _begun(name: str, task: TaskSpec, fit: Fit) -> _Running:
    fit.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (fit.directory / "ended.json").exists():  # while there was no driver
        return _Running(name, fit.directory)
    request = fit.directory / "request.json"
    write_json(request, {"name": name, "task": task.model_dump_json(by_alias=True), "fit": fit_to_json(fit)})
    return _Running(name, fit.directory, request)
