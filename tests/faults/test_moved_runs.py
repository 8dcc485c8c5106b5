"""A run's folder that is moved, renamed, or copied with both gone on with."""

from dataclasses import replace

import pytest

from tests.faults.conftest import Judge
from tests.faults.toy_run import ToyRun

pytestmark = pytest.mark.slow


def test_a_moved_and_renamed_run_goes_on_where_it_lies_now(left: ToyRun, judge: Judge) -> None:
    known = left.journal.read_bytes()
    moved = replace(left, folder=left.folder / "elsewhere", name="other")
    moved.runs.mkdir(parents=True)
    left.path.rename(moved.path)

    done = moved.resumed()

    judge("run folder moved and renamed", moved, known=known, lost=0, said=done, code=0)


def test_of_a_copied_run_both_go_on_alike(left: ToyRun, judge: Judge) -> None:
    known = left.journal.read_bytes()
    copy = left.copied_to(left.folder / "copy")

    for what, each in (("copied, the original", left), ("copied, the copy", copy)):
        done = each.resumed()
        judge(f"run folder {what} resumed", each, known=known, lost=0, said=done, code=0)
