"""What a signal is to a command: an interruption that is known at once, comes again if need be, and has its code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.interrupts import ENDING, exit_code, interruptible, is_told_to_end, remind


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_interrupts_and_names_the_exit_code(number: signal.Signals) -> None:
    with interruptible():
        assert not is_told_to_end()
        with pytest.raises(KeyboardInterrupt):
            told(number)
        assert is_told_to_end()
    assert 128 + number == exit_code()


def test_a_second_signal_breaks_nothing_off_but_an_interruption_that_was_caught_comes_again() -> None:
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            told(signal.SIGTERM)
        told(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            reminded()
    assert 143 == exit_code()


def test_what_is_ignored_stays_ignored_and_all_is_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    on_hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            told(signal.SIGHUP)
            assert not is_told_to_end()
    finally:
        signal.signal(signal.SIGHUP, on_hangup)
    assert before == [signal.getsignal(number) for number in ENDING]
    assert -1 == signal.set_wakeup_fd(-1)


def told(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.2)


def reminded() -> None:
    remind()
    time.sleep(0.2)


WAITING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
os.kill(os.getpid(), signal.SIGTERM)
from orchestrator.cli import main
sys.exit(main(["status"]))
"""


def test_a_signal_that_waited_through_a_fresh_start_ends_it_as_any_other(tmp_path: Path) -> None:
    environment = {**os.environ, "ORCHESTRATE_RUNS": str(tmp_path)}
    words = [sys.executable, "-c", WAITING]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (143, "interrupted; nothing is lost: the same command goes on\n") == (done.returncode, done.stderr)


AMID_AN_IMPORT = """
import os, signal, sys
from orchestrator import cli
def imported(_given):
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        sum(range(10_000_000))
    except KeyboardInterrupt:
        raise ImportError("cannot import name (most likely due to a circular import)") from None
class Parser:
    def parse_args(self, words):
        return type("Given", (), {"run": staticmethod(imported)})
cli._parser = Parser
sys.exit(cli.main([]))
"""


def test_another_error_that_a_library_makes_of_a_signal_is_an_interruption() -> None:
    words = [sys.executable, "-c", AMID_AN_IMPORT]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (129, "interrupted; nothing is lost: the same command goes on\n") == (done.returncode, done.stderr)
