"""What jobs and fits printed, found by what a person knows: the run, a trial's number, a worker's number."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.cluster.run_files import PREPARATION, RunFiles
from orchestrator.errors import UserError
from orchestrator.history.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What one job, or one fit, printed."""

    title: str
    file: str
    text: str

    @classmethod
    def of(cls, title: str, path: Path) -> "Printed":
        """Read it."""
        return cls(title=title, file=str(path), text=path.read_text(encoding="utf-8", errors="replace").rstrip())

    def as_data(self) -> dict[str, Any]:
        """Return it for --json."""
        return asdict(self)

    def lines(self) -> str:
        """Return it for people."""
        return f"== {self.title}\n{self.text}"


def driver_log(folder: RunFolder) -> list[Printed]:
    """Return what the run's drivers printed, one after the other. Raises UserError where there is none yet."""
    workers = {worker.job for worker in _files(folder).workers()}
    # A driver is never an array; the workers of a run of one worker are not either.
    logs = [log for log in _logs(folder) if "_" not in log.parent.name and log.parent.name not in workers]
    if not logs:
        raise UserError(f"{folder.name}: no driver has begun yet; `orchestrate status {folder.name}` shows the queue")
    kinds = {log: "preparation" if (log.parent / PREPARATION).exists() else "driver" for log in logs}
    return [Printed.of(f"{kind} job {log.parent.name}", log) for log, kind in kinds.items()]


def worker_log(folder: RunFolder, number: int) -> list[Printed]:
    """Return what the number-th worker job printed (from 1). Raises UserError naming how many there are."""
    workers = [worker.job for worker in _files(folder).workers()]
    arrays = [log.parent.name for log in _logs(folder) if "_" in log.parent.name]
    jobs = sorted({*workers, *arrays}, key=lambda job: tuple(int(part) for part in job.split("_")))
    if not 1 <= number <= len(jobs):
        raise UserError(f"--worker: must be 1 to {len(jobs)}, the workers that have begun so far, got {number}")
    found = [log for log in _logs(folder) if log.parent.name == jobs[number - 1]]
    return [Printed.of(f"worker job {jobs[number - 1]}", log) for log in found]


def trial_log(folder: RunFolder, number: int) -> list[Printed]:
    """Return what the fits of a trial printed, and with which error they ended; of each stage, where a run has some."""
    places = (f"{depth}trials/{number}/*/{name}.txt" for depth in ("", "*/") for name in ("output", "error"))
    found = sorted(path for place in places for path in folder.path.glob(place))
    if not found:
        raise UserError(
            f"--trial: trial {number} of {folder.name} has not begun; `orchestrate status` shows how many have"
        )
    return [Printed.of(f"{path.parent.relative_to(folder.path)} {path.stem}", path) for path in found]


def _files(folder: RunFolder) -> RunFiles:
    files = RunFiles(folder)
    if not files.exists:
        raise UserError(f"{folder.path}: was not submitted to a cluster, so no job has printed anything; try --trial N")
    return files


def _logs(folder: RunFolder) -> list[Path]:
    return sorted(_files(folder).logs.glob("*/*_log.out"), key=lambda path: path.stat().st_mtime)
