"""The command `test`: a run's model on other data. Imports only what parsing needs."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.options import add_command, add_shared_options


def add_test_command(commands: Any) -> None:
    """Add `test`."""
    text = "test a run's final model, as it is, on other data, such as another hospital's, beside its own test"
    test = add_command(commands, "test", _test, text)
    test.add_argument("of", metavar="RUN")
    test.add_argument(
        "--data", type=Path, required=True, metavar="OTHER", help="the other data: a prepared store, or a recipe (YAML)"
    )
    test.add_argument(
        "--labels",
        type=Path,
        metavar="MAP.csv",
        help="theirs,ours: which label there is which of the model's, where names differ; empty: none of them",
    )
    test.add_argument(
        "--part",
        choices=("all", "sealed", "open"),
        default="all",
        help="which records: all of them (default) or the sealed ones, which opens those; or the open ones",
    )
    test.add_argument("--name", metavar="N", help="the test's name (default: the data's)")
    test.add_argument("--reopen", action="store_true", help="open sealed records that were opened before, and say so")
    add_shared_options(test)


def _test(given: argparse.Namespace) -> None:
    from orchestrator.history.run_folder import existing_run
    from orchestrator.html_report.page import try_page
    from orchestrator.results.elsewhere_table import elsewhere_lines, write_elsewhere
    from orchestrator.runs.elsewhere import Asked, tested_elsewhere

    run = existing_run(given.of, given.runs)
    asked = Asked(run=run, data=given.data, part=given.part, labels=given.labels, name=given.name)
    say = partial(print, file=sys.stderr, flush=True) if not given.json else _nothing
    tested = tested_elsewhere(asked, reopen=given.reopen, quiet=given.json, say=say)
    write_elsewhere(run)
    if missing := try_page(run):
        print(missing, file=sys.stderr)
    if given.json:
        print(json.dumps(tested))
        return
    print("\n".join(elsewhere_lines(tested, run=run.name, name=asked.place.name)))
    print(f"test {asked.place.test}\nall scores {run.elsewhere_csv}\npage {run.report}")


def _nothing(_line: str) -> None:
    pass
