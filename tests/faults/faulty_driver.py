"""Run `orchestrate` such that signals come at moments that are named: a kill -9 amid the third report, and the like.

    python -m tests.faults.faulty_driver FAULT[,FAULT ...] [--without-ray] orchestrate's own words ...

FAULT is MOMENT:N:WHEN[:SIGNAL[:PROCESS]]: at the N-th such moment of this start, `before`, `amid` or `after` it, SIGNAL
(KILL unless said) goes to PROCESS (`driver` unless said, `group`, `worker`, or a number); instead of a signal, CLOCK
sets the driver's clock back by an hour. A driver that starts itself afresh meets no fault again. MOMENT is an event of
the journal (`ask`, `report-continue`, `report-stop`, `tell-complete`, ...), or one of MOMENTS. The product has no such
switch: this wraps it.
"""

import contextlib
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import psutil

from orchestrator import cli
from orchestrator.execution.fresh_start import is_fresh_start
from orchestrator.history import journal
from orchestrator.history.journal_lines import Entry, encode
from orchestrator.history.records import FitKey, Record, Reported, Tell, to_json
from orchestrator.history.run_folder import RunFolder
from tests.orchestrator import without_ray

MOMENTS = {  # that are in no journal, and the function that is at work then
    "ray": ("orchestrator.execution.local_ray", "start"),
    "tables": ("orchestrator.runs.search_run", "write_tables"),
    "copy": ("mlflow.MlflowClient", "log_batch"),
}


def killed(*words: object, kill: str, ray: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a driver to which these faults come; return how it ended."""
    return subprocess.run(
        faulty_command(*words, faults=kill, ray=ray),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def faulty_command(*words: object, faults: str, ray: bool) -> list[str]:
    start = [sys.executable, "-m", "tests.faults.faulty_driver", faults, *([] if ray else ["--without-ray"])]
    return [*start, *map(str, words)]


def kind_of(record: Record) -> str:
    name = str(to_json(record, at=datetime.now(UTC))["event"])
    if isinstance(record, Reported):
        return f"{name}-{record.decision}"
    if isinstance(record, Tell):
        return f"{name}-{record.state}"
    return name


@dataclass
class Fault:
    moment: str
    left: int  # moments until it comes, this one included
    when: str
    signal: str = "KILL"
    process: str = "driver"

    @classmethod
    def read(cls, text: str) -> "Fault":
        moment, number, *rest = text.split(":")
        return cls(moment, int(number), *rest)

    def comes_at(self, moment: str) -> bool:
        self.left -= moment == self.moment
        return moment == self.moment and self.left == 0

    def strike(self, run: Path | None = None, record: Record | None = None) -> None:
        if self.signal == "CLOCK":
            set_clock_back()
            return
        number = getattr(signal, f"SIG{self.signal}")
        if self.process == "group":
            os.killpg(0, number)
        else:
            os.kill(self._pid(run, record), number)

    def _pid(self, run: Path | None, record: Record | None) -> int:
        if self.process == "driver":
            return os.getpid()
        if self.process.lstrip("-").isdecimal():  # with a minus, of a whole group
            return int(self.process)
        assert run is not None
        assert isinstance(record, Reported)
        steps = RunFolder(run).fit(FitKey(record.trial, record.seed, record.fold)) / "steps.log"
        return int(steps.read_text().split()[-1])


def set_clock_back() -> None:
    """Let this process read another time of day from now on; time.monotonic goes on, as it does on any machine."""
    time_then = time.time

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(time.time(), tz)

    time.time = lambda: time_then() - 3600
    for module in list(sys.modules.values()):
        if module.__name__.startswith("orchestrator.") and getattr(module, "datetime", None) is datetime:
            module.datetime = Earlier  # type: ignore[attr-defined]  # the fault to be injected


def inject_at_records(faults: list[Fault]) -> None:
    append = journal.Journal.append

    def struck(self: journal.Journal, record: Record) -> Entry:
        coming = [fault for fault in faults if fault.comes_at(kind_of(record))]
        for fault in coming:
            if fault.when == "amid":
                line = encode(record, at=datetime.now(UTC))
                with self.path.open("ab") as file:
                    file.write(line[: len(line) // 2])
            if fault.when != "after":
                fault.strike(self.path.parent, record)
        entry = append(self, record)
        for fault in coming:
            if fault.when == "after":
                fault.strike(self.path.parent, record)
        return entry

    journal.Journal.append = struck  # type: ignore[method-assign]  # the faults to be injected


def inject_at_calls(faults: list[Fault]) -> None:
    for moment, (place, name) in MOMENTS.items():
        if any(fault.moment == moment for fault in faults):
            owner = pkgutil.resolve_name(place)
            setattr(owner, name, struck_function(getattr(owner, name), moment, faults))


def struck_function(function: Callable[..., Any], moment: str, faults: list[Fault]) -> Callable[..., Any]:
    def struck(*given: Any, **named: Any) -> Any:
        with contextlib.ExitStack() as exits:
            for fault in [fault for fault in faults if fault.comes_at(moment)]:
                exits.enter_context(struck_meanwhile(fault))
            return function(*given, **named)

    return struck


@contextlib.contextmanager
def struck_meanwhile(fault: Fault) -> Iterator[None]:
    """Strike before, amid or after the block; amid: as soon as there is a raylet."""

    def wait_and_strike() -> None:
        while not any(child.name() == "raylet" for child in psutil.Process().children(recursive=True)):
            time.sleep(0.01)
        fault.strike()

    if fault.when == "before":
        fault.strike()
    if fault.when == "amid":
        threading.Thread(target=wait_and_strike, daemon=True).start()
    yield
    if fault.when == "after":
        fault.strike()


def main() -> int:
    faults = [] if is_fresh_start() else [Fault.read(text) for text in sys.argv[1].split(",")]
    inject_at_records(faults)
    inject_at_calls(faults)
    words = sys.argv[2:]
    return without_ray.main(words[1:]) if words[0] == "--without-ray" else cli.main(words)


if __name__ == "__main__":
    sys.exit(main())
