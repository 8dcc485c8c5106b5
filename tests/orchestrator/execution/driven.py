"""A driver with a Ray of its own, to be struck while it starts, works and ends, and what came of it.

`Driver.outcome` is all that a table of faults wants to know.
"""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

WAIT_S = 300.0  # a machine that other work shares may take ten times as long as an idle one


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a driver ended, what it said, which of Ray's processes outlived it, and the table but for times."""

    code: int
    said: str
    left: list[str]
    table: list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A driver of a run in a folder; all that its Ray leaves would lie below `temp`."""

    process: subprocess.Popen[bytes]
    folder: Path
    temp: Path

    @property
    def path(self) -> Path:
        return self.folder / "runs" / "toy"

    def part(self, name: str) -> psutil.Process:
        """A living process of Ray's, or of whatever that started, whose name begins so. Waits for it."""
        found: list[psutil.Process] = []

        def is_there() -> bool:
            with contextlib.suppress(psutil.Error):
                there = psutil.Process(self.process.pid).children(recursive=True)
                found[:] = [one for one in there if is_alive(one) and one.name().startswith(name)]
            return bool(found)

        self.wait_until(is_there, name)
        return found[0]

    def events(self, kind: str) -> int:
        journal = self.path / "journal.jsonl"
        return journal.read_text().count(f'{{"event": "{kind}"') if journal.exists() else 0

    def wait_until(self, holds: Any, what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not holds():
            assert self.process.poll() is None, f"it ended before {what}: {self.said()}"
            assert time.monotonic() < deadline, f"waited {WAIT_S:g} s for {what}: {self.said()}"
            time.sleep(0.02)

    def said(self) -> str:
        """What it wrote where errors go."""
        return (self.folder / "errors").read_text()

    def outcome(self) -> Outcome:
        """Wait for its end and tell how that was."""
        code = self.process.wait(timeout=WAIT_S)
        left = [process for process in psutil.process_iter() if str(self.temp) in environment_of(process).values()]
        return Outcome(
            code=code,
            said=self.said(),
            left=[process.name() for process in left] + [str(path) for path in self.temp.glob("opr-*")],
            table=table_of(self.path),
        )


@contextlib.contextmanager
def driving(
    folder: Path, temp: Path, space: dict[str, Any], *before: str, after: Sequence[str] = (), **environment: str
) -> Iterator[Driver]:
    """A driver of a search at work, in a process group of its own; `before`, `after`: words around its command."""
    with (folder / "errors").open("wb") as errors, (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "orchestrator.cli", *words(folder, space), *after],
            stdout=output,
            stderr=errors,
            env={**os.environ, "TMPDIR": str(temp), **environment},
            process_group=0,
        )
    driver = Driver(process=process, folder=folder, temp=temp)
    try:
        yield driver
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def words(folder: Path, space: dict[str, Any]) -> list[str]:
    return ["search", "--space", str(written(folder / "toy.yaml", space)), "--runs", str(folder / "runs")]


def searched(**changes: Any) -> dict[str, Any]:
    """A grid of four trials of two fits of four steps, or another search."""
    task = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.1}}
    return toy_search(**{"task": task, "max_steps": 4, "space": {"x": {"choice": [0.1, 0.2, 0.3, 0.4]}}, **changes})


def undisturbed(folder: Path, space: dict[str, Any]) -> list[dict[str, str]]:
    """The table of a search to which nothing happens."""
    done = orchestrate_here(*words(folder, space))
    assert 0 == done.returncode, done.stderr
    return table_of(folder / "runs" / "toy")


def table_of(run: Path) -> list[dict[str, str]]:
    path = run / "table.csv"
    return [{**row, "seconds": ""} for row in csv.DictReader(path.read_text().splitlines())] if path.exists() else []


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def environment_of(process: psutil.Process) -> dict[str, str]:
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ()
    return {}
