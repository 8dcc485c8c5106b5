"""A signal ends a driver as Ctrl-C does, in Ray's start, amid its fits and after them, and nothing of it is left."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.orchestrator.execution.driven import Driver, driving, searched
from tests.paced_task import Pace

pytestmark = pytest.mark.slow

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SAID = "interrupted; nothing is lost: the same command goes on\n"


def before_ray(driver: Driver) -> None:
    driver.wait_until((driver.path / "journal.jsonl").exists, "its journal")


def in_rays_start(driver: Driver) -> None:
    driver.part("gcs_server")


def late_in_rays_start(driver: Driver) -> None:
    driver.part("raylet")


def amid(driver: Driver) -> None:
    driver.wait_until(lambda: driver.events("report") >= 1, "a step")


@pytest.mark.parametrize("moment", [before_ray, in_rays_start, late_in_rays_start, amid])
@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_a_driver_with_one_line_and_its_code(
    tmp_path: Path, temp: Path, moment: Callable[[Driver], None], number: signal.Signals
) -> None:
    space = searched(task=Pace(tmp_path).task())  # no fit comes further than its first step
    with driving(tmp_path, temp, space) as driver:
        moment(driver)
        driver.process.send_signal(number)
        began = time.monotonic()
        outcome = driver.outcome()
    assert (CODES[number], SAID, []) == (outcome.code, outcome.said, outcome.left)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("number", CODES)
def test_a_signal_to_the_whole_process_group_is_no_loss_of_ray(
    tmp_path: Path, temp: Path, number: signal.Signals
) -> None:
    """As a terminal that closes and a Ctrl-C in it do: Ray's processes get the signal, too, and may die first."""
    with driving(tmp_path, temp, searched(task=Pace(tmp_path).task())) as driver:
        amid(driver)
        os.killpg(driver.process.pid, number)
        outcome = driver.outcome()
    assert (CODES[number], SAID, []) == (outcome.code, outcome.said, outcome.left)


def test_ctrl_c_pressed_twice_breaks_nothing_off(tmp_path: Path, temp: Path) -> None:
    with driving(tmp_path, temp, searched(task=Pace(tmp_path).task())) as driver:
        amid(driver)
        for _ in range(3):
            driver.process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        outcome = driver.outcome()
    assert (130, SAID, []) == (outcome.code, outcome.said, outcome.left)


def test_under_nohup_the_end_of_the_terminal_ends_nothing(tmp_path: Path, temp: Path) -> None:
    pace = Pace(tmp_path)
    with driving(tmp_path, temp, searched(task=pace.task()), "nohup") as driver:
        for moment in (in_rays_start, amid):
            moment(driver)
            os.killpg(driver.process.pid, signal.SIGHUP)
        pace.allow()
        outcome = driver.outcome()
    assert (0, []) == (outcome.code, outcome.left)
    assert 4 == len(outcome.table)
