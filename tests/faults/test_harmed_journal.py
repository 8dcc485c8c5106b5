"""A journal whose lines are torn, flipped, removed, doubled or swapped, on the disk or by a hand.

What a driver's or machine's death leaves is mended; anything else is refused with the line and the way out, which is
gone here as it is told. The run is one that was killed amid its work.
"""

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun
from tests.orchestrator.command import orchestrate

pytestmark = pytest.mark.slow

Lines = list[bytes]
AMID = 12  # the number of a line, from 0


def flipped(line: bytes) -> bytes:
    """The line with one bit of its middle turned over."""
    middle = len(line) // 2
    return line[:middle] + bytes([line[middle] ^ 1]) + line[middle + 1 :]


MENDED: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "last line torn": (lambda lines: [*lines[:-1], lines[-1][: len(lines[-1]) // 2]], "cut off a torn last line"),
    "last line overwritten by zeros (power cut)": (
        lambda lines: [*lines[:-1], bytes(len(lines[-1]))],
        "cut off a torn last line",
    ),
    "last line removed": (lambda lines: lines[:-1], ""),
}


@pytest.mark.parametrize("fault", MENDED)
def test_what_a_death_leaves_is_mended(fault: str, left: ToyRun, judge: Judge) -> None:
    harm, words = MENDED[fault]
    known = left.journal.read_bytes()
    left.journal.write_bytes(b"".join(harm(known.splitlines(keepends=True))))

    done = left.gone_on()

    judge(f"journal: {fault}", left, known=known, lost=1, said=done, code=0, words=words)


REFUSED: dict[str, Callable[[Lines], Lines]] = {
    "a bit of a line flipped": lambda lines: [*lines[:AMID], flipped(lines[AMID]), *lines[AMID + 1 :]],
    "a bit of the last line flipped": lambda lines: [*lines[:-1], flipped(lines[-1])],
    "a line torn, others after it": lambda lines: [*lines[:AMID], lines[AMID][:50], *lines[AMID + 1 :]],
    "a line removed": lambda lines: [*lines[:AMID], *lines[AMID + 1 :]],
    "a line doubled": lambda lines: [*lines[:AMID], lines[AMID], *lines[AMID:]],
    "two lines swapped": lambda lines: [*lines[:AMID], lines[AMID + 1], lines[AMID], *lines[AMID + 2 :]],
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_no_death_leaves_is_refused_and_the_way_out_leads_on(fault: str, left: ToyRun, judge: Judge) -> None:
    known = left.journal.read_bytes()
    harmed = b"".join(REFUSED[fault](known.splitlines(keepends=True)))
    left.journal.write_bytes(harmed)

    refused = orchestrate(*left.words, "--executor", "in-process")

    assert harmed == left.journal.read_bytes()
    way_out = re.search(r"head -n (\d+)", refused.stderr)
    assert way_out, refused.stderr
    kept = subprocess.run(["head", "-n", way_out[1], left.journal], capture_output=True, check=True).stdout
    left.journal.write_bytes(kept)
    done = left.gone_on()
    assert 0 == done.returncode, done.stderr
    lost = known.count(b"\n") - int(way_out[1])
    judge(f"journal: {fault}", left, known=known, lost=lost, said=refused, code=1, words="damaged line")


@pytest.mark.parametrize("fault", ["removed", "emptied"])
def test_without_a_journal_the_run_begins_anew(fault: str, left: ToyRun, judge: Judge) -> None:
    known = left.journal.read_bytes()
    left.journal.unlink()
    if fault == "emptied":
        left.journal.touch()

    done = left.gone_on()

    judge(f"journal: {fault}", left, known=known, lost=known.count(b"\n"), said=done, code=0)
