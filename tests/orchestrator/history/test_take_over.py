"""A driver that was cut off (frozen, or on a node that the others lost) and comes back can write nothing any more."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import RunFailed
from orchestrator.history.driver_lock import hold
from orchestrator.history.journal import CutOff, Journal
from orchestrator.history.records import Stage
from orchestrator.history.run_folder import RunFolder
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.execution.test_local_ray import wait_for

TAKE_OVER = """
import sys
from pathlib import Path
from orchestrator.runs.driver import drive_search
from orchestrator.history.run_folder import RunFolder
from orchestrator.history.run_contents import search_of
from orchestrator.execution.session import open_session
from orchestrator.execution.in_process import in_process

folder = RunFolder(Path(sys.argv[1]))
here = in_process(threads=1)
drive_search(search_of(folder), folder, lambda: open_session(folder, here, quiet=True, take_over=True))
"""


def test_who_was_taken_over_appends_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    with hold(folder):
        old = Journal(folder.journal)
        old.append(Stage(name="first", winner=1))
        with pytest.raises(RunFailed, match="another driver"), hold(folder):
            pass
        with hold(folder, take_over=True):
            new = Journal(folder.journal)
            new.append(Stage(name="second", winner=2))
            content = folder.journal.read_bytes()
            with pytest.raises(CutOff, match="took this run over"):
                old.append(Stage(name="third", winner=3))
            assert content == folder.journal.read_bytes()
            assert ["first", "second"] == [record.name for record, _at in new.entries if isinstance(record, Stage)]
            new.close()
        old.close()


@pytest.mark.slow
def test_a_frozen_driver_that_wakes_up_after_the_end_changes_nothing(tmp_path: Path) -> None:
    task = {"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.3}}
    space = written(tmp_path / "toy.yaml", toy_search(task=task, max_steps=6))
    run = tmp_path / "runs" / "toy"
    words = [sys.executable, "-m", "orchestrator.cli", "search", "--space", str(space), "--runs", str(run.parent)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as frozen:
        wait_for(run / "trials" / "0" / "seed0-fold0" / "steps.log")
        frozen.send_signal(signal.SIGSTOP)
        subprocess.run([sys.executable, "-c", TAKE_OVER, str(run)], check=True)
        before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
        assert run / "winner.json" in before
        frozen.send_signal(signal.SIGCONT)
        _out, said = frozen.communicate(timeout=60)
    assert 1 == frozen.returncode
    assert "another driver took this run over" in said
    assert before == {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
