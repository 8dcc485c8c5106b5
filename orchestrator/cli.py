"""The command line. Exit code 0: done; 2: a mistake of the user's; 1: a failure; 130, 143 or 129: interrupted.

Imports only what parsing needs, so that --help answers at once; each command imports its own part when it runs.
"""

import argparse
import contextlib
import errno
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from orchestrator.cluster.commands import add_cluster_commands
from orchestrator.commands.comparing import add_compare_command
from orchestrator.commands.dashboard import add_dashboard_command
from orchestrator.commands.here_or_cluster import run_audit_somewhere
from orchestrator.commands.looking import add_consolidate_command, add_plan_command, add_status_command
from orchestrator.commands.mlflow_ui import add_ui_command
from orchestrator.commands.reporting import add_open_command, add_report_command
from orchestrator.commands.running import (
    add_resume_command,
    add_retrain_command,
    add_run_command,
    add_search_command,
)
from orchestrator.commands.syncing import add_sync_command
from orchestrator.commands.testing import add_test_command
from orchestrator.errors import RaisedByTask, RunFailed, is_users_mistake
from orchestrator.interrupts import exit_code, hear, interruptible, is_told_to_end
from orchestrator.runs.audit_command import add_audit_command
from orchestrator.runs.try_command import add_try_command
from orchestrator.simulation.simulate_command import add_simulate_command

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    with interruptible():
        try:
            return _main(words)
        except Exception:
            if is_told_to_end():  # libraries make other errors of what a signal raises in them, amid an import, say
                return _interrupted()
            raise


def _main(words: Sequence[str] | None) -> int:
    try:
        hear()
        given = _parser().parse_args(words)
        return int(given.run(given) or 0)
    except RaisedByTask as error:
        raise error.error from None  # with its whole traceback, for people and for `python -m pdb`
    except ValueError as error:
        if not is_users_mistake(error):
            raise  # a bug's, with its traceback
        print(error, file=sys.stderr)
        return 2
    except RunFailed as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        way_out = "; make room, then give the same command again" if error.errno in DISK_FULL else ""
        print(f"{error.filename or ''}: {error.strerror}; what was written before is whole{way_out}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _interrupted()


def _interrupted() -> int:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print("interrupted; nothing is lost: the same command goes on", file=sys.stderr)
    return exit_code()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orchestrate", description="Search, retrain and test classifiers; nothing is lost on the way."
    )
    parser.add_argument("--version", action="version", version=f"orchestrate {metadata.version('orchestrate')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add_plan_command(commands)
    add_try_command(commands, say=partial(print, flush=True))
    add_search_command(commands)
    add_run_command(commands)
    add_status_command(commands)
    add_resume_command(commands)
    add_report_command(commands)
    add_open_command(commands)
    add_consolidate_command(commands)
    add_retrain_command(commands)
    add_test_command(commands)
    add_compare_command(commands)
    add_sync_command(commands)
    add_ui_command(commands)
    add_dashboard_command(commands)
    add_audit_command(commands, run_audit_somewhere)
    add_simulate_command(commands)
    add_cluster_commands(commands)

    for found in metadata.entry_points(group="orchestrate.commands"):
        found.load()(commands, _yaml_of)
    return parser


def _yaml_of(path: Path) -> dict[str, Any]:
    """Read a YAML file for the commands of other packages, as strictly as our own."""
    from orchestrator.specs.strict_yaml import read_with_files

    return dict(read_with_files(path).data)


if __name__ == "__main__":
    sys.exit(main())
