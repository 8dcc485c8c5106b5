"""The watch beside a driver: who moves lives, who waits lives, who hangs is ended, and the watch goes with it."""

import signal
import subprocess
import sys
import time

import psutil

DRIVER = """
import time
from orchestrator.cluster.driver_watch import watched
move = watched()
while True:
    move()
    time.sleep(0.2)
"""


def driver(silence_s: str) -> subprocess.Popen[str]:
    setting = {"ORCHESTRATE_DRIVER_SILENCE_S": silence_s}
    return subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True, env={**setting})


def test_a_driver_that_stands_still_is_ended_and_one_that_moves_is_not() -> None:
    with driver("1.5") as moving, driver("1.5") as hanging:
        time.sleep(3)
        watch = psutil.Process(moving.pid).children()
        hanging.send_signal(signal.SIGSTOP)
        said, _ = hanging.communicate(timeout=30)
        assert -signal.SIGKILL == hanging.returncode
        assert "the driver has not moved for 1.5 s and is ended; its successor goes on\n" == said
        assert moving.poll() is None
        moving.kill()
    assert not psutil.wait_procs(watch, timeout=10)[1]


def test_where_that_is_not_wanted_nobody_watches() -> None:
    with driver("0") as moving:
        time.sleep(1)
        assert not psutil.Process(moving.pid).children()
        moving.kill()
