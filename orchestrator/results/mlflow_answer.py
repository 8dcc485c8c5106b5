"""What a run has found, as MLflow shows it: numbers to sort runs by, tags to search for, a description to read.

Derived from ledgers and test.json: validation and test have metrics of different names. Imports no MLflow.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orchestrator.atomic import read_json
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.mlflow_names import names_for, value_for
from orchestrator.results.promotion import promotion_of
from orchestrator.search.intervals import Interval, interval_of
from orchestrator.search.selection import Contender, Winner, winner_among

Searches = Sequence[tuple[Ledger, RunFolder]]
Numbers = Mapping[str, float]
_MARKS = re.compile(r"([\\`*_{}\[\]()#~|>])")  # that Markdown takes for its own, amid a line
_OF_INTERVAL = ("mean", "sd", "low", "high")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is said of one search or experiment."""

    metrics: Numbers
    tags: Mapping[str, str]
    description: str  # Markdown


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The winner of searches that are over, and the untuned default beside it."""

    winner: Winner
    chosen: Contender
    default: Contender | None

    @classmethod
    def among(cls, searches: Searches) -> "_Found":
        winner, chosen, _ties = winner_among(searches)
        own_first = sorted(searches, key=lambda search: search[1].path != chosen.folder.path)
        contenders = (Contender(folder, ledger, trial) for ledger, folder in own_first for trial in ledger.ranked())
        return cls(winner=winner, chosen=chosen, default=next((one for one in contenders if one.is_default), None))

    @property
    def of_default(self) -> Interval | None:
        return None if self.default is None else interval_of(self.default.ledger, self.default.trial)


def answer_of(
    folder: RunFolder,
    competing: Searches,
    *,
    stages: Searches = (),
    tested: Mapping[str, Any] | None = None,
) -> Answer | None:
    """Return what a run has found; None where it has not come to a winner.

    competing: the search itself, or those of an experiment that compete for its final, of which stages are all.
    tested: the content of test.json, where the run has one.
    """
    if not folder.winner.exists() or not any(ledger.ranked() for ledger, _ in competing):
        return None
    found = _Found.among(competing)
    return Answer(
        metrics={**_validation(found), **_tested_beside(found.winner.metric, tested or {})},
        tags={**_tags(folder, found), **({"test note": tested["note"]} if tested and tested["note"] else {})},
        description="\n\n".join([*_sentences(found, tested), *_on_model(folder, tested), *_stage_table(stages)]),
    )


def _validation(found: _Found) -> Numbers:
    metric, over_default = found.winner.metric, found.winner.over_default
    sides = {"winner": found.winner.interval, "default": found.of_default}
    told = {
        f"{side}_{metric}_{of}": getattr(interval, of)
        for side, interval in sides.items()
        if interval is not None
        for of in _OF_INTERVAL
    }
    told[f"winner_{metric}_over_default"] = over_default
    names = names_for(told)
    return {names[name]: value for name, value in told.items() if value is not None}


def _tested_beside(metric: str, tested: Mapping[str, Any]) -> Numbers:
    """Return what was scored in the same opening, as `default_test_macro_f1`: what has an interval, and the metric."""
    told: dict[str, float] = {}
    for name, one in tested.get("beside", {}).items():
        scores = one.get("metrics", {})
        for score in shown_scores(metric, scores):
            bounds = {f"{score}{end}" for end in ("", "_low", "_high")} & scores.keys()
            told |= {f"{name}_test_{key}": scores[key] for key in sorted(bounds)}
    names = names_for(told)
    return {names[name]: value for name, value in told.items()}


def shown_scores(metric: str, scores: Numbers) -> list[str]:
    """Return the scores of a test that people look at first: that which was searched for, and all with an interval."""
    named = (metric, *(name.removesuffix("_low") for name in scores if name.endswith("_low")))
    return [name for name in dict.fromkeys(named) if name in scores]


def score_text(scores: Numbers, name: str) -> str:
    """Return a score with its interval, where it has one."""
    return _text(scores.get(name), scores.get(f"{name}_low"), scores.get(f"{name}_high"))


def _tags(folder: RunFolder, found: _Found) -> dict[str, str]:
    winner, data = found.winner, found.chosen.ledger.facts.get("data")
    told = {"stage": winner.search, "trial": str(winner.trial), "metric": winner.metric, "mode": winner.mode}
    return {name: value_for(value) for name, value in {**told, **({"data": str(data)} if data else {})}.items()} | (
        origin_of(folder)
    )


def origin_of(folder: RunFolder) -> dict[str, str]:
    """Return where a run comes from, in MLflow's own tags, too, as far as provenance.json says it."""
    told = read_json(folder.provenance) if folder.provenance.exists() else {}
    command, code = told.get("command", []), told.get("code", {})
    tags = {"mlflow.source.name": value_for(" ".join(map(str, command))), "mlflow.source.type": "LOCAL"}
    if commit := code.get("commit"):
        changed = " and uncommitted changes" if code.get("dirty") else ""
        tags |= {"commit": f"{commit}{changed}", "mlflow.source.git.commit": str(commit)}
    return tags if command else {}


def _sentences(found: _Found, tested: Mapping[str, Any] | None) -> Iterator[str]:
    winner, default = found.winner, found.of_default
    yield f"**Winner:** trial {winner.trial} of {escaped(winner.search)}: {escaped(winner.best)}."
    scores: Numbers = tested["metrics"] if tested else {}
    shown = shown_scores(winner.metric, scores)
    beside: dict[str, Mapping[str, Any]] = dict(tested.get("beside", {})) if tested else {}
    rows: list[tuple[str, str, Numbers]] = [("winner", _of_interval(winner.interval), scores)]
    if default is not None:
        rows.append(("untuned default", _of_interval(default), beside.pop("default", {}).get("metrics", {})))
    rows += [(f"beside it: {escaped(name)}", "", one.get("metrics", {})) for name, one in beside.items()]
    yield _table(
        ["", f"{escaped(winner.metric)} (validation)", *(f"{escaped(name)} (test)" for name in shown)],
        [[name, validation, *(score_text(tests, one) for one in shown)] for name, validation, tests in rows],
    )
    yield f"Validation: mean over {winner.over}; in brackets its 95 % t-interval." + _about_test(tested)
    for remark in (winner.length, winner.start, *((tested["note"], tested.get("learnt_nothing")) if tested else ())):
        if remark:
            yield f"**Note:** {escaped(remark)}."


def _about_test(tested: Mapping[str, Any] | None) -> str:
    if tested is None:
        return " The test part was not opened by this run."
    varies = f"; in brackets 95 % intervals, in which {escaped(tested['varies'])} vary" if tested.get("varies") else ""
    of = f" of {escaped(tested['what'])}" if tested.get("what") else ""
    return f" Test: one model{of}{varies}. The test part was opened {_times(tested['openings'])}."


def _on_model(folder: RunFolder, tested: Mapping[str, Any] | None) -> Iterator[str]:
    """Say where the model of a final is, which is no artifact of the run that is described."""
    promotion = promotion_of(folder, tested) if tested else None
    if promotion is not None:
        place = f"[{escaped(promotion.name)}](#/models/{quote(promotion.name)})"
        decided = f" {escaped(promotion.sentence)}." if promotion.sentence else ""
        yield f"**Model:** registered as {place}.{decided}"


def _stage_table(stages: Searches) -> list[str]:
    """Return each stage with its own winner; none of a search alone."""
    rows = []
    for ledger, stage in stages:
        if not ledger.ranked():
            rows.append([escaped(stage.name), str(len(ledger.told())), "none is complete", ""])
            continue
        won = winner_among([(ledger, stage)])[0]
        score = f"{escaped(won.metric)} {_of_interval(won.interval)}"
        rows.append([escaped(stage.name), str(len(ledger.told())), f"trial {won.trial}", score])
    return [_table(["stage", "trials", "winner", "validation"], rows)] if rows else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _of_interval(interval: Interval) -> str:
    return _text(interval.mean, interval.low, interval.high)


def _text(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "not tested"
    return f"{value:.4f}" if low is None or high is None else f"{value:.4f} [{low:.4f}, {high:.4f}]"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def escaped(text: str) -> str:
    """Return text of others that Markdown shows as it is: no markup, no HTML, no new line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;"))
