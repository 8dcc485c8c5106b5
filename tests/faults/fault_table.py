"""The table of faults: what came of each, written by the tests that assert it.

A test's rows travel with its report, so that it does not matter in which process it ran; a test that failed has its
row say so.
"""

from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import pytest

WRITTEN = Path("build/faults.md")
PROPERTY = "fault"


@dataclass(frozen=True, order=True)
class Row:
    fault: str
    fits_at_a_time: str
    what_was_said: str
    lost: str
    equal_table: str

    def attach(self, node: pytest.Item) -> None:
        node.user_properties.append((PROPERTY, asdict(self)))


def rows_of(reports: list[pytest.TestReport]) -> Iterator[tuple[str, Row]]:
    """Yield each row and the file of the test that wrote it; of a test that failed, one that says so."""
    for report in reports:
        found = [Row(**value) for name, value in report.user_properties if name == PROPERTY]
        if report.failed and "fault" in report.keywords:
            found = [Row(f"FAILED: {report.nodeid}", "", "", "", "")]
        yield from ((report.nodeid.partition("::")[0], row) for row in found)


def as_markdown(rows: list[Row]) -> str:
    head = [field.name.replace("_", " ") for field in fields(Row)]
    lines = [head, ["---"] * len(head), *([cell.replace("|", "/") for cell in astuple(row)] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the table, where there is one, and say where."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    rows = [row for _file, row in sorted(set(rows_of(reports)))]
    if not any(row.what_was_said for row in rows):
        return
    path = terminalreporter.config.rootpath / WRITTEN
    path.parent.mkdir(exist_ok=True)
    path.write_text(as_markdown(rows), encoding="utf-8")
    terminalreporter.write_line(f"{len(rows)} faults and what came of them: {path}")
