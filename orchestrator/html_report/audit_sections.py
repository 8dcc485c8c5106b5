"""The page of an audit: what searching is worth on records that no search saw."""

from collections.abc import Iterator

from orchestrator.history.run_contents import audit_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.section import Section, Table
from orchestrator.results.audit_table import audit_rows, findings
from orchestrator.results.outer_part import is_done, read_part
from orchestrator.results.score_text import score, with_interval
from orchestrator.results.whole_run import data_name
from orchestrator.search.intervals import CorrectedMean


def audit_sections(folder: RunFolder) -> Iterator[Section]:
    """Yield question and answer, and the table over the outer parts that are done."""
    audit = audit_of(folder)
    assert audit is not None
    tested = audit.experiment.tested
    places = [folder.outer(number).path for number in range(audit.outer)]
    parts = [read_part(place) for place in places if is_done(place)]
    title = f"Is searching worth it on {data_name(tested.task)}, on records that no search saw?"
    if not parts:
        yield Section(title=title, paragraphs=[f"Not answered yet: none of {audit.outer} outer parts is done."])
        return
    so_far = (
        [] if len(parts) == audit.outer else [f"Not whole yet: {len(parts)} of {audit.outer} outer parts are done."]
    )
    told = findings(parts, tested.metric, tested.mode)
    yield Section(title=title, paragraphs=[*so_far, *(f"{line[:1].upper()}{line[1:]}." for line in reversed(told))])
    rows = audit_rows(parts, tested.metric)
    yield Section(
        title="Models on the outer parts",
        tables=[
            Table(
                caption=f"{tested.metric} over {len(parts)} outer parts. In brackets: 95 % intervals of the corrected "
                "t-test; the parts vary.",
                columns=("model", "parts", tested.metric, "minus untuned default"),
                rows=[
                    (str(row["row"]), str(row["parts"]), _mean(row["score"]), _mean(row["minus_default"], signed=True))
                    for row in rows
                ],
            )
        ],
    )


def _mean(value: object, *, signed: bool = False) -> str:
    if isinstance(value, CorrectedMean):
        return with_interval(value.mean, value.low, value.high, signed=signed)
    return score(value, signed=signed) if isinstance(value, float) else ""
