"""A model's own test beside its tests on other data: for each score both, with their intervals. As text, CSV, Markdown.

Derived from files of the run alone, at any time.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.atomic import read_json, write_text
from orchestrator.history.run_folder import RunFolder

COLUMNS = ("data", "score", "own", "own_low", "own_high", "elsewhere", "elsewhere_low", "elsewhere_high")
BOUNDS = ("_low", "_high")


def model_of(final: RunFolder) -> str:
    """Return what a tested final is known by: one that is made anew is another."""
    tested = read_json(final.test)
    return json.dumps([tested["opened_at"], tested.get("checkpoints"), tested["stage"], tested["trial"]])


def is_of_its_model(tested: Mapping[str, Any], run: RunFolder) -> bool:
    """Whether a test on other data is of the very model that the run's final has now, and of no earlier one."""
    return run.final.test.exists() and tested["model"] == model_of(run.final)


def elsewhere_lines(tested: Mapping[str, Any], *, run: str, name: str) -> list[str]:
    """Return a test on other data beside the model's own, for a person, in columns as Markdown has them."""
    own, there = tested["own"], tested["metrics"]
    rows = [(score, _cell(own, score), _cell(there, score)) for score in _scores(there)]
    header = ("score", f"{run}, its own test", f"{name}, {tested['part']} records")
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(3)]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (header, *rows)
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    opened = [f"sealed records were opened, {tested['openings']} times by now"] if tested["openings"] else []
    marked = [f"NOTE {tested['note']}"] if tested["note"] else []
    notes = [*tested["said"], "in brackets: 95 % intervals", *opened, *marked]
    return [drawn[0], rule, *drawn[1:], "", *notes]


def write_elsewhere(run: RunFolder) -> None:
    """Write elsewhere.csv and elsewhere.md of a run anew, with all tests of its model on other data that are done."""
    text, parts = io.StringIO(), [f"# {run.name} on other data"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for place in run.elsewhere_tests:
        tested = read_json(place.test)
        if not is_of_its_model(tested, run):
            continue
        writer.writerows(_rows(place.name, tested))
        parts += ["", f"## {place.name}", "", *elsewhere_lines(tested, run=run.name, name=place.name)]
    write_text(run.elsewhere_csv, text.getvalue())
    write_text(run.elsewhere_md, "\n".join(parts) + "\n")


def _rows(name: str, tested: Mapping[str, Any]) -> Iterator[list[Any]]:
    for score in _scores(tested["metrics"]):
        ends = ("", *BOUNDS)
        values = [one.get(f"{score}{end}", "") for one in (tested["own"], tested["metrics"]) for end in ends]
        yield [name, score, *values]


def _scores(metrics: Mapping[str, float]) -> list[str]:
    """Return the scores in their order, those with an interval first."""
    names = [name for name in metrics if not name.endswith(BOUNDS)]
    return sorted(names, key=lambda name: f"{name}_low" not in metrics)


def _cell(metrics: Mapping[str, float], score: str) -> str:
    if score not in metrics:
        return "-"
    value, low, high = (metrics.get(f"{score}{end}") for end in ("", *BOUNDS))
    spread = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    return f"{value:g}" if value == int(value or 0) and not spread else f"{value:.3f}{spread}"
