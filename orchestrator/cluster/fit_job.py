"""A job that runs one fit, or one other method of the task, and leaves in files what came of it (jobs_executor.py)."""

import json
import os
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import TextIO

from orchestrator.atomic import write_json, write_text
from orchestrator.cluster.run_files import RunFiles, Worker
from orchestrator.cluster.worker import allotted_cpus, allotted_gpus, hide_other_gpus, job_id
from orchestrator.errors import is_users_mistake
from orchestrator.execution.one_fit import run_fit
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import TaskSpec
from orchestrator.specs.task_loading import load_task
from orchestrator.task import Metrics, Task, fit_from_json

BEGUN = '{"begun": true}'  # the line of reports.jsonl with which a job begins; an earlier one may have died


def run_request(run: str, request: str) -> None:
    """Do what a request says."""
    content = json.loads(Path(request).read_text(encoding="utf-8"))
    hide_other_gpus()  # before the task is loaded: torch looks once
    task = load_task(TaskSpec.model_validate_json(content["task"]))
    allocation = _Allocation(RunFiles(RunFolder(Path(run))))
    if "fit" in content:
        _fit(task, content["fit"], allocation)
    else:
        values = [list(map(Path, value)) if isinstance(value, list) else Path(value) for value in content["values"]]
        called = _called(task, content["method"], values)  # a score may be NaN: json.dumps writes and reads it
        write_text(Path(request).with_name("ended.json"), json.dumps(called))
    allocation.seen()


def _fit(task: Task, text: str, allocation: "_Allocation") -> None:
    fit = fit_from_json(text)
    path = fit.directory / "reports.jsonl"
    torn = path.exists() and not path.read_bytes().endswith(b"\n")  # by the death of an earlier job's node
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" if torn else "")
        file.write(BEGUN + "\n")
        _on_disk(file)  # the driver counts the fit's time from here on

        def report(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
            plain = {name: float(value) for name, value in metrics.items()}
            file.write(json.dumps({"step": step, "metrics": plain, "checkpoint": checkpoint}) + "\n")
            _on_disk(file)
            allocation.seen()

        ending = run_fit(task, fit, report)
    write_json(fit.directory / "ended.json", asdict(ending))


def _on_disk(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _called(task: Task, method: str, values: list[list[Path] | Path]) -> dict[str, object]:
    try:
        return {"kind": "returned", "value": dict(getattr(task, method)(*values))}
    except Exception as error:
        if is_users_mistake(error) or isinstance(error, OSError):
            return {"kind": "mistake", "message": str(error)}
        return {"kind": "failed", "message": traceback.format_exc()}


class _Allocation:
    """What this job has, written down for the run's account."""

    def __init__(self, files: RunFiles) -> None:
        now = time.time()
        node = os.environ.get("SLURMD_NODENAME", "")
        self._files = files
        self._state = Worker(
            job=job_id(), node=node, gpus=len(allotted_gpus()), cpus=allotted_cpus(), started=now, seen=now, joined=True
        )
        self.seen()

    def seen(self) -> None:
        """Write that the job still lived now."""
        self._state = replace(self._state, seen=time.time())
        self._files.write_worker(self._state)
