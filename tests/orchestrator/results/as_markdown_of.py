"""The rows of runs as Markdown, for tests that read a table as people do."""

from typing import Any

from orchestrator.results.ranked_table import ranked
from orchestrator.results.table import Row
from orchestrator.results.table_markdown import as_markdown


def table_markdown(runs: dict[str, list[Row]], **asked: Any) -> str:
    return as_markdown([ranked(runs, **asked)])
