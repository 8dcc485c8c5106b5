"""Run `orchestrate` such that it kills itself (SIGKILL) at the n-th journal record of a kind: before, amid or after it.

    python -m tests.faults.killed_driver KIND:N:WHEN [--without-ray] orchestrate's own words ...

KIND is an event name, or `report-continue`, `report-stop`, `tell-complete`, ... The product has no such switch: this
wraps it.
"""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

from orchestrator import cli
from orchestrator.history import journal
from orchestrator.history.journal_lines import Entry, encode
from orchestrator.history.records import Record, Reported, Tell, to_json
from tests.orchestrator import without_ray


def killed(*words: object, kill: str, ray: bool = False) -> subprocess.CompletedProcess[str]:
    """Start a driver that kills itself there; return how it ended."""
    start = [sys.executable, "-m", "tests.faults.killed_driver", kill, *([] if ray else ["--without-ray"])]
    return subprocess.run([*start, *map(str, words)], capture_output=True, text=True, check=False)


def kind_of(record: Record) -> str:
    name = str(to_json(record, at=datetime.now(UTC))["event"])
    if isinstance(record, Reported):
        return f"{name}-{record.decision}"
    if isinstance(record, Tell):
        return f"{name}-{record.state}"
    return name


def main() -> int:
    kind, number, when = sys.argv[1].split(":")
    left = int(number)
    append = journal.Journal.append

    def deadly(self: journal.Journal, record: Record) -> Entry:
        nonlocal left
        if kind_of(record) != kind:
            return append(self, record)
        left -= 1
        if left:
            return append(self, record)
        if when == "amid":
            line = encode(record, at=datetime.now(UTC))
            with self.path.open("ab") as file:
                file.write(line[: len(line) // 2])
        if when == "after":
            append(self, record)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    journal.Journal.append = deadly  # type: ignore[method-assign]  # the fault to be injected
    words = sys.argv[2:]
    return without_ray.main(words[1:]) if words[0] == "--without-ray" else cli.main(words)


if __name__ == "__main__":
    sys.exit(main())
