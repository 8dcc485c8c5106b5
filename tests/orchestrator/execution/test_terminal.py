"""What a person sees: a live table on a terminal, plain lines in a pipe, JSON with --json, no library's chatter."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here
from tests.paced_task import Pace


@pytest.mark.slow
def test_in_a_pipe_there_is_a_plain_line_a_trial_then_the_answer_and_nothing_of_the_libraries(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs")
    assert "" == done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"toy 1/2 trial 0 complete score 0\.6\d+ \(best 0\.6\d+, trial 0\) \d+\.\d s", lines[0])
    assert "Which configuration of toy is the best on ToyTask?" == lines[2]
    assert [f"table {tmp_path}/runs/toy/table.csv", f"page {tmp_path}/runs/toy/report.html"] == lines[-3:-1]
    assert lines[-1].startswith(f"MLflow sqlite:///{tmp_path}/runs/mlflow.db, experiment toy, run ")


def test_with_json_there_is_one_json_value_and_nothing_else(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    done = orchestrate_here("search", "--space", space, "--runs", tmp_path / "runs", "--json")
    assert "" == done.stderr
    (status,) = json.loads(done.stdout)
    assert ("finished", {"complete": 2}) == (status["state"], status["trials"])


@pytest.mark.slow
def test_on_a_terminal_a_live_table_shows_the_running_trial_and_the_best(tmp_path: Path) -> None:
    pace = Pace(tmp_path)  # the fits wait in their first step until it was shown
    space = written(tmp_path / "toy.yaml", toy_search(task=pace.task()))
    running = re.compile(r"0 +.* running .* 1/3 .* x=0\.1")
    words = ["search", "--space", str(space), "--runs", str(tmp_path / "runs")]
    shown = on_a_terminal(*words, when=running, then=pace.allow)
    assert re.search(r"toy +0/2 trials +score \(max\)", shown)
    assert running.search(shown)
    assert "trial 0 complete" not in shown, "no plain lines beside the table"


def on_a_terminal(*words: str, when: re.Pattern[str], then: Callable[[], None]) -> str:
    """Run the command with a terminal as its standard output, and return all that it wrote there.

    When it shows something, or has not in three minutes, something is done.
    """
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cli", *words], stdout=its, stderr=its, env=environment
    ) as process:
        os.close(its)
        parts: list[bytes] = []
        deadline, done = time.monotonic() + 180, False
        while True:
            if not done and (when.search(b"".join(parts).decode(errors="replace")) or time.monotonic() > deadline):
                then()
                done = True
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            parts.append(part)
        assert 0 == process.wait(timeout=60)
    os.close(ours)
    return b"".join(parts).decode()
