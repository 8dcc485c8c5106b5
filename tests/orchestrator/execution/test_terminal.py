"""What a person sees: a live table on a terminal, plain lines in a pipe, JSON with --json, no library's chatter."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


@pytest.mark.slow
def test_in_a_pipe_there_is_a_plain_line_a_trial_then_the_table_and_nothing_of_the_libraries(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    done = orchestrate("search", "--space", space, "--runs", tmp_path / "runs")
    assert "" == done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"toy 1/2 trial 0 complete score 0\.6\d+ \(best 0\.6\d+, trial 0\) \d+\.\d s", lines[0])
    assert "# toy" == lines[2]
    assert f"table {tmp_path}/runs/toy/table.csv" == lines[-2]
    assert lines[-1].startswith(f"MLflow sqlite:///{tmp_path}/runs/mlflow.db, experiment toy, run ")


def test_with_json_there_is_one_json_value_and_nothing_else(tmp_path: Path) -> None:
    space = written(tmp_path / "toy.yaml", toy_search())
    done = orchestrate_here("search", "--space", space, "--runs", tmp_path / "runs", "--json")
    assert "" == done.stderr
    (status,) = json.loads(done.stdout)
    assert ("finished", {"complete": 2}) == (status["state"], status["trials"])


@pytest.mark.slow
def test_on_a_terminal_a_live_table_shows_the_running_trial_and_the_best(tmp_path: Path) -> None:
    task = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.3}}
    space = written(tmp_path / "toy.yaml", toy_search(task=task))
    shown = on_a_terminal("search", "--space", str(space), "--runs", str(tmp_path / "runs"))
    assert re.search(r"toy +0/2 trials +score \(max\)", shown)
    assert re.search(r"0 +.* running .* 1/3 .* x=0\.1", shown)
    assert "trial 0 complete" not in shown, "no plain lines beside the table"


def on_a_terminal(*words: str) -> str:
    """Run the command with a terminal as its standard output, and return all that it wrote there."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cli", *words], stdout=its, stderr=its, env=environment
    ) as process:
        os.close(its)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            parts.append(part)
        assert 0 == process.wait(timeout=60)
    os.close(ours)
    return b"".join(parts).decode()
