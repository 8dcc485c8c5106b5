"""The command `compare`: each of several runs beside the first. Imports only what parsing needs."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.options import add_command, add_shared_options

WIDEST = 10_000  # characters; in a pipe nothing is wrapped
LONGEST = 48  # characters of a value, such as the end of a path


def add_compare_command(commands: Any) -> None:
    """Add `compare`."""
    text = "say by how much runs, or stages of them, differ from the first: validation, test, configuration"
    compare = add_command(commands, "compare", _compare, text)
    compare.add_argument("first", metavar="RUN", help="a run, or RUN/STAGE")
    compare.add_argument(
        "others", nargs="+", metavar="OTHER", help="further ones, each of which stands beside the first"
    )
    add_shared_options(compare)


def _compare(given: argparse.Namespace) -> None:
    from orchestrator.errors import UserError
    from orchestrator.results.run_comparison import compared_run, comparison

    if given.first in given.others:
        raise UserError(f"{given.first}: a run is compared with others, but it is given twice")
    first, *others = (compared_run(name, given.runs) for name in [given.first, *dict.fromkeys(given.others)])
    found = [comparison(first, other) for other in others]
    if given.json:
        print(json.dumps(found))
        return
    for one in found:
        _print_table(one)


def _print_table(told: Mapping[str, Any]) -> None:
    from rich.console import Console  # .05 s, which --help need not wait for
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("", told["one"], told["other"], "difference [95 %]"):
        table.add_column(Text(column), overflow="fold")
    for row in _rows(told):
        table.add_row(*map(Text, row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDEST)
    with console.capture() as drawn:
        console.print(table)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))
    for what in ("validation", "test"):
        if why := told[what].get("not"):
            print(f"by {what} they cannot be compared: {why}")


def _rows(told: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    validation, test = told["validation"], told["test"]
    if "means" in validation:
        one, other = validation["means"]
        over = f" over {validation['over']}, fit by fit" if "over" in validation else ""
        named = zip(validation["trials"], (one, other), strict=True)
        first, second = (f"{mean:.4f} (trial {trial})" for trial, mean in named)
        yield (
            f"validation {validation['metric']}{over}",
            first,
            second,
            _difference({"difference": validation.get("mean"), **validation}),
        )
    for name, score in test.get("scores", {}).items():
        over = f"{test['records']} records of {test['patients']} patients, {len(test['classes'])} classes of both"
        yield f"test {name}, {over}", f"{score['one']:.4f}", f"{score['other']:.4f}", _difference(score)
    for what, title in (("config", "configuration"), ("spec", "spec")):
        for change in told[what]:
            yield f"{title} {change['what']}", _short(change["one"]), _short(change["other"]), ""


def _short(value: Any) -> str:
    """Return a value for people: a dimension without what it does not say, no number with digits that mean nothing."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(one)}" for name, one in value.items() if one not in (None, {}))
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"...{text[-LONGEST:]}"


def _difference(of: Mapping[str, Any]) -> str:
    if of["difference"] is None:
        return ""
    low, high = of.get("low"), of.get("high")
    return f"{of['difference']:+.4f}" + ("" if low is None or high is None else f" [{low:+.4f}, {high:+.4f}]")
