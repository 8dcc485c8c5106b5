"""A search of the toy that faults meet: begun, struck, gone on with as a user would, and judged by its table."""

import contextlib
import csv
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from orchestrator.history.journal import read_journal
from orchestrator.history.records import End, FitKey, Reported, Start, Tell
from tests.faults.faulty_driver import faulty_command, killed
from tests.orchestrator.command import orchestrate, written
from tests.orchestrator.without_ray import orchestrate_here

TRIALS = 8
AT_A_TIME: dict[int, dict[str, Any]] = {
    1: {"sampler": "tpe", "startup_trials": 3, "prune": {"successive_halving": {"min_steps": 1, "factor": 2}}},
    # Of three at a time, what a sampler learns from and whom a rule stops hang on which is faster; the table does not
    # where nothing hangs on that.
    3: {"sampler": "random", "concurrency": 3},
}
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class ToyRun:
    """A search, of so many fits at a time, in a folder of its own; `store` is MLflow's."""

    folder: Path
    at_a_time: int
    store: str
    name: str = "toy"
    changes: Mapping[str, Any] = field(default_factory=dict)  # of its search space

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def path(self) -> Path:
        return self.runs / self.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def words(self) -> list[str]:
        """The command that begins it, and goes on with it."""
        space = {
            "task": {"name": "tests.toy_task:ToyTask", "with": {}},
            "metric": "score",
            "max_steps": 4,
            "seeds": 2,
            "folds": 1,
            "trials": TRIALS,
            **AT_A_TIME[self.at_a_time],
            "space": {"x": {"uniform": [-1, 1]}, "y": {"uniform": [0, 1], "step": 0.25}},
            **self.changes,
        }
        file = written(self.folder / "toy.yaml", space)
        return ["search", "--space", str(file), "--runs", str(self.runs), "--name", self.name]

    @property
    def environment(self) -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": self.store}

    def struck(self, faults: str, *, ray: bool = False, **environment: str) -> Done:
        """Begin it, or go on with it, in a process to which these faults come (faulty_driver.py)."""
        return killed(*self.words, kill=faults, ray=ray, **{**self.environment, **environment})

    @contextlib.contextmanager
    def at_work(self) -> Iterator[subprocess.Popen[str]]:
        """Begin it, one fit after the other, beside whatever else goes on."""
        command = [sys.executable, "-m", "orchestrator.cli", *self.words, "--executor", "in-process"]
        environment = {**os.environ, **self.environment}
        with subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as driver:
            yield driver

    def put_to_sleep(self, faults: str, *, seconds: float, ray: bool) -> Done:
        """Begin it, wait until a fault stops its process group, as Ctrl-Z does, and wake that some seconds later."""
        command = faulty_command(*self.words, faults=faults, ray=ray)
        environment = {**os.environ, **self.environment}
        with subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0, env=environment
        ) as driver:
            process = psutil.Process(driver.pid)
            while process.status() != psutil.STATUS_STOPPED:
                assert driver.poll() is None, "it ended before it was stopped"
                time.sleep(0.05)
            time.sleep(seconds)
            os.killpg(driver.pid, signal.SIGCONT)
            said, complained = driver.communicate(timeout=120)
        return subprocess.CompletedProcess(command, driver.returncode, said, complained)

    def gone_on(self, *, ray: bool = False, **environment: str) -> Done:
        """Give the same command again, or for the first time."""
        given = {**self.environment, **environment}
        return orchestrate(*self.words, **given) if ray else orchestrate_here(*self.words, **given)

    def resumed(self) -> Done:
        """Go on with it by its name."""
        return orchestrate_here("resume", self.name, "--runs", self.runs, **self.environment)

    def copied_to(self, folder: Path) -> "ToyRun":
        shutil.copytree(self.runs, folder / "runs")
        return replace(self, folder=folder)

    def outcome(self) -> list[dict[str, str]]:
        """The table but for times, and whose weights won."""
        rows = csv.DictReader((self.path / "table.csv").read_text().splitlines())
        return [
            *({**row, "seconds": "", "gpu_seconds": ""} for row in rows),
            {"winner": (self.path / "winner.json").read_text()},
        ]

    def moments(self) -> list[datetime]:
        """When each event was, by the clock of the driver that wrote it."""
        return [at for _record, at in read_journal(self.journal)]

    def seconds(self) -> list[float]:
        """What each trial cost."""
        return [float(row["seconds"]) for row in csv.DictReader((self.path / "table.csv").read_text().splitlines())]

    def lost_of(self, known: bytes) -> int:
        """How many of the events of a journal as it was, a half one included, are not in it any more."""
        before, after = (content.splitlines(keepends=True) for content in (known, self.journal.read_bytes()))
        alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
        return len(before) - len(list(alike))

    def assert_nothing_twice_and_no_fit_lost(self) -> None:
        """Every fit that was started ended once, every step was reported once, every trial was told once."""
        records = [record for record, _at in read_journal(self.journal)]
        ends = Counter(FitKey(r.trial, r.seed, r.fold) for r in records if isinstance(r, End))
        reports = Counter((r.trial, r.seed, r.fold, r.step) for r in records if isinstance(r, Reported))
        assert {FitKey(r.trial, r.seed, r.fold) for r in records if isinstance(r, Start)} == set(ends)
        assert {1} == set(ends.values()) == set(reports.values())
        assert list(range(TRIALS)) == sorted(r.trial for r in records if isinstance(r, Tell))

    def steps_done_again(self) -> int:
        """How many steps of its fits were done more than once."""
        logs = list(self.path.glob("trials/*/*/steps.log"))
        worked = Counter((log.parent, line.split()[0]) for log in logs for line in log.read_text().splitlines())
        return sum(times - 1 for times in worked.values())
