"""What a run was asked and what it answers, each in one sentence. Validation and test are never mixed up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.results.against_default import AgainstDefault, against_default
from orchestrator.results.score_text import with_interval
from orchestrator.results.whole_run import WholeRun, data_name


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question and its answer."""

    question: str
    answer: str


def answer_of(run: WholeRun) -> Answer:
    """Return what was asked and what came of it, as far as the run has come."""
    spec = run.spec
    if spec is None:
        return Answer(question=f"What does {run.folder.name} find?", answer="Nothing yet: no search has begun.")
    models = {trial.config.get("model") for ledger, _ in run.competing for trial in ledger.trials.values()}
    named = next(iter(models)) if len(models) == 1 else None  # where several compete, the run's name says more
    what, data = named if isinstance(named, str) else run.folder.name, data_name(spec.task)
    beside = against_default(run)
    asked = beside is not None or (spec.has_baseline and spec.start_from is None)
    question = (
        f"Does tuning {what} on {data} beat its untuned default?"
        if asked
        else f"Which configuration of {run.folder.name} is the best on {data}?"
    )
    told = _told(run, beside)
    if not run.is_finished and run.tested is None:
        done = sum(len(ledger.told()) for ledger, _ in run.searches)
        told = f"Not answered yet, after {done} finished trials. {told}"
    return Answer(question=question, answer=told)


def _told(run: WholeRun, beside: AgainstDefault | None) -> str:
    if run.choice is None:
        return "No trial is complete, so nothing won."
    winner, chosen, _ = run.choice
    over = winner.interval
    scored = f"validation {winner.metric} {with_interval(over.mean, over.low, over.high)} over {winner.over}"
    if beside is None:
        said = f"{run.name_of(chosen)} is chosen ({scored}); no untuned default is complete beside it"
    elif beside.kept:
        said = f"No: the untuned default is kept ({scored})"
    elif beside.difference is None:
        said = f"Not known: {run.name_of(chosen)} ({scored}) is not compared with the untuned default: {beside.why_not}"
    elif beside.difference.low is None:
        said = f"Not shown: {_lead(run, beside)}, too few fits for an interval"
    elif not beside.is_told:
        said = f"Not shown: {_lead(run, beside)}, which may be nothing"
    else:
        better = (beside.difference.mean > 0) == (winner.mode == "max")
        said = f"{'Yes' if better else 'No'}, by validation: {winner.metric} {beside.text()}"
    return f"{said}; {_tested(run, winner.metric)}."


def _lead(run: WholeRun, beside: AgainstDefault) -> str:
    metric = run.choice[0].metric if run.choice else ""
    return f"{run.name_of(beside.winner)} differs from the untuned default by {beside.text()} ({metric}, validation)"


def _tested(run: WholeRun, metric: str) -> str:
    if run.tested is None:
        return "not tested yet"
    if run.tested.get("learnt_nothing"):
        return f"the tested model has learnt nothing: {run.tested['learnt_nothing']}"
    scores = scores_text(run.tested["metrics"], metric, varies=run.tested.get("varies"))
    if not run.tested_winner:
        return f"tested was trial {run.tested['trial']} of {run.tested['stage']}, which does not win any more: {scores}"
    return f"test {scores}"


def scores_text(metrics: Mapping[str, float], metric: str | None, *, varies: str | None) -> str:
    """Return a test score by its metric, with its interval and of how many records; another, where it lacks that."""
    known = metric is not None and metric in metrics
    shown = metric if known else next(iter(with_bounds(metrics)), next(iter(metrics), None))
    if shown is None:
        return "without a finite score"
    of = f", {metrics['records']:g} records" if "records" in metrics else ""
    if of and varies is not None and varies in metrics and varies != "records":
        of += f" of {metrics[varies]:g} {varies}"
    return f"{shown} {bounded(metrics, shown)}{of}"


def with_bounds(metrics: Mapping[str, float]) -> list[str]:
    """Return the names of the scores that have an interval."""
    return [name for name in metrics if f"{name}_low" in metrics and f"{name}_high" in metrics]


def bounded(metrics: Mapping[str, Any], name: str) -> str:
    """Return a score of a test with its interval, where it has one."""
    return with_interval(metrics[name], metrics.get(f"{name}_low"), metrics.get(f"{name}_high"))
