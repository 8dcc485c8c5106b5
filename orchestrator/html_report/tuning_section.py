"""What tuning bought: the winner against the untuned default, and on which hyperparameters the scores depended."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.html_report.importance_chart import importance_chart
from orchestrator.html_report.section import Section, Table
from orchestrator.results.against_default import against_default
from orchestrator.results.answer import scores_text
from orchestrator.results.score_text import value_text
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.importance import FEWEST, importance_of
from orchestrator.specs.specs import STEPS
from orchestrator.task import Parameter


def importance_by_search(run: WholeRun) -> dict[str, dict[str, float]]:
    """Return of each competing search what its scores depended on; empty ones had too few trials."""
    return {folder.name: importance_of([ledger]) for ledger, folder in run.competing}


def tuning_section(
    run: WholeRun, parameters: Mapping[str, Parameter], importance: Mapping[str, Mapping[str, float]], figures: Path
) -> Section:
    """Return the comparison, the importance as a figure, and both configurations side by side."""
    chart = importance_chart(importance, figures)
    said = list(_said(run))
    if chart is None:
        said.append(
            f"On what the scores depended is not said: that takes {FEWEST} complete trials of one search or more."
        )
    return Section(
        title="What tuning bought",
        paragraphs=said,
        figures=[chart] if chart else [],
        tables=[_configurations(run, parameters)] if run.choice else [],
    )


def _said(run: WholeRun) -> Iterator[str]:
    if run.choice is None:
        yield "Nothing yet: no trial is complete."
        return
    metric = run.choice[0].metric
    beside = against_default(run)
    if beside is None:
        yield "No untuned default competes, so what tuning bought is not known."
    elif beside.kept:
        yield "Nothing that these fits can tell: the untuned default is the winner."
    elif beside.difference is not None:
        few = beside.difference.low is None
        verdict = (
            "too few fits for an interval"
            if few
            else "which leaves no difference out"
            if beside.is_told
            else "which may be nothing"
        )
        yield (
            f"In validation: winner minus untuned default, {metric} {beside.text()}, fit by fit; {verdict}. In "
            "brackets: 95 % interval of the corrected resampled t-test."
        )
    tested = run.tested or {}
    default = tested.get("beside", {}).get("default", {})
    if "metrics" in default:
        varies, who = tested.get("varies"), "winner" if run.tested_winner else "the tested model, which wins no more,"
        yield (
            f"In one opening of the test part: {who} {scores_text(tested['metrics'], metric, varies=varies)}; untuned "
            f"default {scores_text(default['metrics'], metric, varies=varies)}."
        )
    elif tested and beside is not None and not beside.kept:
        yield "The untuned default was not tested; `final: {beside: [default]}` tests it in the same opening."


def _configurations(run: WholeRun, parameters: Mapping[str, Parameter]) -> Table:
    assert run.choice is not None
    ours = run.choice[0].config
    theirs = run.default.trial.config if run.default else {}
    # What a space does not name has its default in every fit, see Task.parameters.
    defaults = {name: known.default for name, known in parameters.items()}
    steps = {STEPS: run.default.ledger.spec.max_steps} if run.default and run.default.ledger.spec else {}
    rows = []
    for name in dict.fromkeys([*ours, *theirs]):
        value = ours.get(name, defaults.get(name))
        default = {**defaults, **steps, **theirs}.get(name)
        meaning = (
            "how many steps a fit is trained" if name == STEPS else parameters[name].help if name in parameters else ""
        )
        rows.append((name, value_text(value), value_text(default), "changed" if value != default else "", meaning))
    rows.sort(key=lambda row: not row[3])
    return Table(
        caption="The winner's configuration beside the untuned default; what was changed stands first.",
        columns=("hyperparameter", "winner", "untuned default" if run.default else "the task's default", "", "meaning"),
        rows=rows,
    )
