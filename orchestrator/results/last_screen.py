"""What is printed at the end of a command: the table, the stages with their winners, the test with its intervals."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.history.ledger import Ledger
from orchestrator.history.openings import read_test
from orchestrator.history.run_contents import candidates_of, read_ledger, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.failure_digest import failure_lines
from orchestrator.results.stage_differences import stage_differences
from orchestrator.results.status import status_of
from orchestrator.results.table import COLLAPSED, judged_at, rows_of, table_markdown
from orchestrator.search.selection import Winner, winner_of
from orchestrator.search.start_value import what_starts_were_worth
from orchestrator.specs.experiment import Experiment


def search_report(folder: RunFolder, *, as_json: bool, logged: str | None = None) -> str:
    """Return the best trials; logged: where MLflow has the run."""
    if as_json:
        return json.dumps([status.as_data() for status in status_of(folder, driven=False)])
    ledger = read_ledger(folder)
    assert ledger.spec is not None
    rows = {folder.name: rows_of(ledger, alive=False)}
    judged = judged_at([ledger.spec])
    table = table_markdown(rows, title=folder.name, mode=ledger.spec.mode, judged_at=judged, most=10)
    won = list(_winner_lines(winner_of(ledger, folder))) if ledger.ranked() else []
    return _with_places([table, *won, *failure_lines([folder]), f"table {folder.table_csv}"], logged)


def _winner_lines(winner: Winner) -> Iterator[str]:
    yield f"winner: trial {winner.trial}; {winner.best}"
    if winner.length:
        yield f"  {winner.length}"


def final_report(folder: RunFolder, *, as_json: bool, logged: str | None = None) -> str:
    """Return the test of a run's final."""
    tested = read_test(folder.final)
    return (
        json.dumps(tested) if as_json else _with_places([*test_lines(tested), *failure_lines([folder.final])], logged)
    )


def experiment_report(experiment: Experiment, folder: RunFolder, *, as_json: bool, logged: str | None = None) -> str:
    """Return the stages with their winners, then the test."""
    if as_json:
        return final_report(folder, as_json=True)
    tested = read_test(folder.final)
    metric = experiment.searches[experiment.candidates[0]].metric
    lines = [f"\n| stage | trials | best trial | {metric} (validation) | minutes |", "|---|---|---|---|---|"]
    for stage in searches_of(folder):
        ledger, name = read_ledger(stage), stage.name
        if not ledger.ranked():
            lines.append(f"| {name} | {len(ledger.told())} | - | {_failure(ledger)} | {ledger.elapsed_s / 60:.1f} |")
            continue
        won = winner_of(ledger, stage)
        over = won.interval
        spread = "" if over.low is None else f" [{over.low:.4f}, {over.high:.4f}]"
        own = "" if won.metric == metric else f" ({won.metric})"
        score = f"{over.mean:.4f}{spread}{own} over {won.over}"
        lines.append(f"| {name} | {len(ledger.told())} | {won.trial} | {score} | {ledger.elapsed_s / 60:.1f} |")
    candidates = [(read_ledger(stage), stage) for stage in candidates_of(experiment, folder)]
    worth = [*stage_differences(candidates), *what_starts_were_worth(candidates)]
    # A winner that cannot be trained from scratch is no failure of anybody's: the stages above say it.
    went_wrong = failure_lines([*map(folder.stage, experiment.searches), folder.final])
    rest = [*worth, *test_lines(tested), *_beside_lines(tested, metric), *went_wrong, f"all trials {folder.table_csv}"]
    return _with_places([*lines, "", *rest], logged)


def _beside_lines(tested: Mapping[str, Any], metric: str) -> Iterator[str]:
    """Say of each model that was tested beside the winner what it scored by the metric and all that has an interval."""
    for name, one in tested.get("beside", {}).items():
        if "left_out" in one:
            yield f"beside it: {name} (trial {one['trial']} of {one['stage']}) could not be tested: {one['left_out']}"
            continue
        metrics = one["metrics"]
        shown = dict.fromkeys([metric, *(key.removesuffix("_low") for key in metrics if key.endswith("_low"))])
        scores = [_with_bounds(metrics, key) for key in shown if key in metrics]
        yield f"beside it, in the same opening: {name} (trial {one['trial']} of {one['stage']}): {', '.join(scores)}"


def _with_bounds(metrics: Mapping[str, float], name: str) -> str:
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    spread = "" if low is None or high is None else f" [{low:.4f}, {high:.4f}]"
    return f"{name} {metrics[name]:.4f}{spread}"


def _failure(ledger: Ledger) -> str:
    errors = (trial.error.splitlines()[0] for trial in ledger.trials.values() if trial.error)
    return f"failed: {next(errors, 'no trial is complete')}"


def _with_places(lines: list[str], logged: str | None) -> str:
    return "\n".join(lines if logged is None else [*lines, f"MLflow {logged}"])


def test_lines(tested: Mapping[str, Any]) -> list[str]:
    """Return the test scores, each with its interval where it has one."""
    metrics = tested["metrics"]
    lines = [
        f"test: winner of {tested['stage']} (trial {tested['trial']}), {tested['seeds']} seeds, {tested['steps']} steps"
        if "what" not in tested  # of an earlier version
        else f"test: {tested['what']}"
    ]
    if "why" in tested:
        lines.append(f"  because {tested['why']}")
    if tested.get("learnt_nothing"):
        lines.append(
            f"  WARNING this model has learnt nothing: {tested['learnt_nothing']}; MLflow does not register it"
        )
    if tested.get("length"):
        lines.append(f"  NOTE {tested['length']}")
    if tested.get("start"):
        lines.append(f"  NOTE {tested['start']}")
    if tested["note"]:
        lines.append(f"  NOTE {tested['note']}")
    if tested.get("varies") and any(name.endswith("_low") for name in metrics):
        lines.append(f"  in brackets: 95 % intervals; what varies in them: {tested['varies']}")
    for name, value in metrics.items():
        if name.endswith(("_low", "_high")):
            continue
        if name == "collapsed":
            lines.append(f"  {name:<20} {value:g} ({COLLAPSED if value else 'not ' + COLLAPSED})")
            continue
        bounds = f" [{metrics[f'{name}_low']:.4f}, {metrics[f'{name}_high']:.4f}]" if f"{name}_low" in metrics else ""
        lines.append(f"  {name:<20} {value:.4f}{bounds}" if value != int(value) else f"  {name:<20} {value:g}{bounds}")
    return lines
