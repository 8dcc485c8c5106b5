"""What the run learnt from and was judged on: the task's facts of each stage, and what the task draws of its data."""

from collections.abc import Mapping
from typing import Any

from orchestrator.html_report.section import Section, Table
from orchestrator.html_report.task_sections import Told
from orchestrator.results.whole_run import WholeRun, data_name

_UNREAD = ("test_over_train", "metric_bounds")  # said in other words elsewhere
_CALLED = {"data": "content, as a hash", "test_varies": "intervals are over"}


def data_section(run: WholeRun, told: Told, provenance: Mapping[str, Any]) -> Section:
    """Return the facts that were written down when the run began, and the task's own sections about data."""
    names = {folder.name: data_name(ledger.spec.task) for ledger, folder in run.searches if ledger.spec is not None}
    stages = {name: facts for name, facts in provenance.get("data", {}).items() if isinstance(facts, Mapping)}
    groups: dict[str, tuple[list[str], Mapping[str, Any]]] = {}
    for stage, facts in stages.items():
        groups.setdefault(repr(facts), ([], facts))[0].append(stage)
    tables = [_facts(stages_, facts, names, alone=len(groups) == 1) for stages_, facts in groups.values()]
    paragraphs = [] if tables else ["What the data is was not written down when this run began."]
    if told.problem:
        paragraphs.append(f"The task could not show more of its data ({told.problem}).")
    return Section(title="Data", paragraphs=paragraphs, tables=tables, within=told.data)


def _facts(stages: list[str], facts: Mapping[str, Any], names: Mapping[str, str], *, alone: bool) -> Table:
    called = dict.fromkeys(names[stage] for stage in stages if stage in names)
    rows = [("data", ", ".join(called))] if called else []
    rows += [
        (_CALLED.get(key, key.replace("_", " ")), _text(value)) for key, value in facts.items() if key not in _UNREAD
    ]
    of = "" if alone else f" of {', '.join(stages)}"
    return Table(
        caption=f"The data{of} that may be trained on and validated with, as the task described it when the run began.",
        columns=("what", "value"),
        rows=rows,
    )


def _text(value: Any) -> str:
    if value in ("", None):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(value).split(",")) if " " not in str(value) else str(value)
