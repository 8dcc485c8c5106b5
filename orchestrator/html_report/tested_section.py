"""What the test part says, opened once: the winner, models beside it, other data, the task's own pictures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.html_report.elsewhere_scores import elsewhere_scores
from orchestrator.html_report.section import Section, Table
from orchestrator.html_report.task_sections import Told
from orchestrator.results.answer import bounded, with_bounds
from orchestrator.results.score_text import score
from orchestrator.results.whole_run import WholeRun


def tested_section(run: WholeRun, told: Told) -> Section:
    """Return the scores of everything that was tested; where nothing was, that."""
    elsewhere, remarks = elsewhere_scores(run)
    tables = [*_models(run), *elsewhere, *_every_number(run)]
    return Section(title="Test", paragraphs=[*_said(run), *remarks], tables=tables, within=told.test)


def _said(run: WholeRun) -> Iterator[str]:
    tested = run.tested
    if tested is None:
        yield "This run has not tested a model: its test part is unopened."
        return
    what = tested.get("what") or f"winner of {tested['stage']} (trial {tested['trial']}), {tested['seeds']} seeds"
    openings = f"openings by any run so far: {tested['openings']}"
    yield f"Tested: {what}. The test part was opened at {tested['opened_at']} (UTC); {openings}."
    metrics = tested["metrics"]
    for name in with_bounds(metrics):
        parts = [f"{name}_seeds_{part}" for part in ("mean", "sd", "worst", "best")]
        if all(part in metrics for part in parts):
            mean, sd, worst, best = (score(metrics[part]) for part in parts)
            yield f"Each seed for itself, {name}: mean {mean}, sd {sd}, worst {worst}, best {best}."
    if tested.get("undefined"):
        yield f"Without a finite value: {', '.join(tested['undefined'])}."


def _models(run: WholeRun) -> Iterator[Table]:
    if run.tested is None:
        return
    tested = run.tested
    metric = run.choice[0].metric if run.choice else None
    shown = _shown(tested["metrics"], metric)
    rows = [
        (
            "winner" if run.tested_winner else "tested",
            f"trial {tested['trial']} of {tested['stage']}",
            *_scores(tested["metrics"], shown),
        )
    ]
    for name, one in tested.get("beside", {}).items():
        scores = (
            _scores(one["metrics"], shown)
            if "metrics" in one
            else [f"not tested: {one.get('left_out', '')}"] + [""] * (len(shown) - 1)
        )
        rows.append((name, f"trial {one['trial']} of {one['stage']}", *scores))
    records = tested["metrics"].get("records")
    yield Table(
        caption="Models tested in one opening of the test part"
        + (f", on {records:g} records" if records is not None else "")
        + _what_varies(tested),
        columns=("model", "of", *shown),
        rows=rows,
    )


def _shown(metrics: Mapping[str, float], metric: str | None) -> list[str]:
    first = [metric] if metric is not None and metric in metrics else []
    return list(dict.fromkeys([*first, *with_bounds(metrics)])) or list(metrics)[:4]


def _scores(metrics: Mapping[str, float], shown: Sequence[str]) -> list[str]:
    return [bounded(metrics, name) if name in metrics else "" for name in shown]


def _what_varies(tested: Mapping[str, Any]) -> str:
    if not with_bounds(tested["metrics"]):
        return "."
    varies = tested.get("varies")
    return ". In brackets: 95 % intervals" + (f"; what varies in them: {varies}." if varies else ".")


def _every_number(run: WholeRun) -> Iterator[Table]:
    metrics = run.tested["metrics"] if run.tested else {}
    names = [name for name in metrics if not name.endswith(("_low", "_high"))]
    if names:
        yield Table(
            caption=f"Every number of the test ({len(names)}), as final/test.json has it.",
            columns=("name", "value"),
            rows=[
                (name, f"{metrics[name]:g}" if metrics[name] == int(metrics[name]) else bounded(metrics, name))
                for name in names
            ],
            folded=True,
        )
