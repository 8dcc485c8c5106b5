"""The options that several commands share, each said once. Imports nothing but what parsing needs."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

LARGEST_COUNT = 1_000_000
_ADDRESS = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")


def add_command(commands: Any, name: str, function: Callable[..., Any], text: str) -> argparse.ArgumentParser:
    """Add a command that runs a function of the namespace; the text is what --help says of it."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=function)
    return command


def add_runs_option(command: argparse.ArgumentParser) -> None:
    """Add --runs."""
    command.add_argument(
        "--runs", type=Path, metavar="DIR", help="where runs live (default: ORCHESTRATE_RUNS, else ./runs)"
    )


def add_shared_options(command: argparse.ArgumentParser) -> None:
    """Add --runs and --json."""
    add_runs_option(command)
    command.add_argument("--json", action="store_true", help="print JSON and nothing else")


def add_run_options(command: argparse.ArgumentParser) -> None:
    """Add what names a new run, and where it lives."""
    command.add_argument("--name", metavar="N", help="the run's name (default: the file's)")
    add_shared_options(command)


def add_cluster_option(command: Any) -> None:
    """Add --cluster."""
    command.add_argument(
        "--cluster", type=Path, metavar="FILE", help="on the SLURM cluster of this profile (slurm/*.yaml)"
    )


def add_place_options(command: argparse.ArgumentParser) -> None:
    """Add where fits run: on a cluster, or as this process drives them."""
    places = command.add_mutually_exclusive_group()
    add_cluster_option(places)
    _add_executors(places)


def add_here_options(command: argparse.ArgumentParser) -> None:
    """Add in which way this process drives fits."""
    _add_executors(command.add_mutually_exclusive_group())


def _add_executors(group: Any) -> None:
    group.add_argument(
        "--executor",
        choices=("ray", "in-process"),
        default="ray",
        help="what runs fits on this machine: workers of a local Ray (default), or this process, one fit after the "
        "other, so that print and breakpoint() of the task work",
    )
    group.add_argument(
        "--ray",
        type=ray_address,
        metavar="HOST:PORT",
        help="on the Ray cluster whose GCS is there, from one of its nodes; its token is in RAY_AUTH_TOKEN_PATH",
    )


def ray_address(text: str) -> str:
    """Read where a Ray's GCS listens."""
    if not (found := _ADDRESS.fullmatch(text)) or not 1 <= int(found[1]) <= 65535:
        raise argparse.ArgumentTypeError(f"must be HOST:PORT of a Ray's GCS, such as head:6379, got {text!r}")
    return text


def positive(text: str) -> int:
    """Read a whole number of at least 1, and of at most as many as anybody means."""
    number = int(text)
    if not 1 <= number <= LARGEST_COUNT:
        raise argparse.ArgumentTypeError(f"must be from 1 to {LARGEST_COUNT}, got {text}")
    return number


def port(text: str) -> int:
    """Read a port of this machine."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be a port, from 1 to 65535, got {text}")
    return int(text)
