"""What is printed at the end of a command: the answer in about ten lines, and where page and table are."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.history.openings import read_test
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.against_default import against_default
from orchestrator.results.answer import answer_of, bounded, with_bounds
from orchestrator.results.failure_digest import failure_lines
from orchestrator.results.promotion import promotion_of
from orchestrator.results.score_text import with_interval
from orchestrator.results.status import status_of
from orchestrator.results.table import COLLAPSED
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import interval_of
from orchestrator.search.start_value import what_starts_were_worth
from orchestrator.specs.experiment import Experiment


def search_report(folder: RunFolder, *, as_json: bool, logged: str | None = None) -> str:
    """Return what a search found; logged: where MLflow has the run."""
    if as_json:
        return json.dumps([status.as_data() for status in status_of(folder, driven=False)])
    return _screen(WholeRun.read(folder), logged)


def final_report(folder: RunFolder, *, as_json: bool, logged: str | None = None) -> str:
    """Return what a search found, and the test of its final."""
    return json.dumps(read_test(folder.final)) if as_json else _screen(WholeRun.read(folder), logged)


def experiment_report(experiment: Experiment, folder: RunFolder, *, as_json: bool, logged: str | None = None) -> str:
    """Return what an experiment found, and its test."""
    return final_report(folder, as_json=as_json, logged=logged)


def _screen(run: WholeRun, logged: str | None) -> str:
    found, metric = answer_of(run), run.choice[0].metric if run.choice else None
    lines = [found.question, f"  {found.answer}", *_winner_lines(run)]
    if run.tested is not None:
        lines += [*test_lines(run.tested, metric), *_beside_lines(run.tested, metric)]
        promotion = promotion_of(run.folder, run.tested)
        lines += [f"MLflow: {promotion.sentence}"] if promotion and promotion.sentence else []
    if run.experiment is not None:
        lines += what_starts_were_worth([one for one in run.competing if one[0].ranked()])
    # A winner that cannot be trained from scratch is no failure of anybody's: the page says it.
    searches = [run.folder.stage(name) for name in run.experiment.searches] if run.experiment else [run.folder]
    begun = [folder for folder in (*searches, run.folder.final) if folder.journal.exists()]
    lines += [*failure_lines(begun), f"table {run.folder.table_csv}"]
    lines += [f"page {run.folder.report}"] if run.folder.report.exists() else []
    return "\n".join([*lines, *([] if logged is None else [f"MLflow {logged}"])])


def _winner_lines(run: WholeRun) -> Iterator[str]:
    if run.choice is None:
        return
    winner, chosen, _ = run.choice
    over = winner.interval
    beside = against_default(run)
    against = ""
    if beside is not None and not beside.kept:
        other = interval_of(beside.default.ledger, beside.default.trial)
        against = f"; the untuned default {with_interval(other.mean, other.low, other.high)}"
    scored = f"validation {winner.metric} {with_interval(over.mean, over.low, over.high)} over {winner.over}"
    yield f"winner: {run.name_of(chosen)}, {scored}{against}"
    yield f"  {winner.best}"
    if run.tested is None:  # whose lines say it, too
        yield from (f"  NOTE {remark}" for remark in (winner.length, winner.start) if remark)


def _beside_lines(tested: Mapping[str, Any], metric: str | None) -> Iterator[str]:
    """Say of each model that was tested beside the winner what it scored."""
    for name, one in tested.get("beside", {}).items():
        of = f"{name} (trial {one['trial']} of {one['stage']})"
        if "left_out" in one:
            yield f"beside it: {of} could not be tested: {one['left_out']}"
        else:
            yield f"beside it, in the same opening: {of}: {_scores(one['metrics'], metric)}"


def _scores(metrics: Mapping[str, float], metric: str | None) -> str:
    """Return the score by the metric, and every other that has an interval; the first ones where there is none such."""
    named = [metric] if metric is not None and metric in metrics else []
    shown = dict.fromkeys([*named, *with_bounds(metrics)]) or list(metrics)[:3]
    return ", ".join(f"{name} {bounded(metrics, name)}" for name in shown)


def test_lines(tested: Mapping[str, Any], metric: str | None) -> list[str]:
    """Return what was tested, its scores by the metric and all that have an interval, and what mars them."""
    metrics = tested["metrics"]
    what = tested.get("what") or (  # of an earlier version
        f"winner of {tested['stage']} (trial {tested['trial']}), {tested['seeds']} seeds, {tested['steps']} steps"
    )
    lines = [f"test: {what}", f"  {_scores(metrics, metric)}"]
    if tested.get("varies") and with_bounds(metrics):
        lines.append(f"  in brackets: 95 % intervals; what varies in them: {tested['varies']}")
    if tested.get("learnt_nothing"):
        lines.append(
            f"  WARNING this model has learnt nothing: {tested['learnt_nothing']}; MLflow does not register it"
        )
    if metrics.get("collapsed"):
        lines.append(f"  WARNING {COLLAPSED}")
    return [*lines, *(f"  NOTE {tested[key]}" for key in ("length", "start", "note") if tested.get(key))]
