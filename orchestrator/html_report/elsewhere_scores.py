"""The tested model on other data, each score beside that of its own test on the classes that both have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.atomic import read_json
from orchestrator.errors import RunFailed
from orchestrator.html_report.section import Table
from orchestrator.results.answer import bounded, with_bounds
from orchestrator.results.elsewhere_table import is_of_its_model
from orchestrator.results.whole_run import WholeRun


def elsewhere_scores(run: WholeRun) -> tuple[Sequence[Table], Sequence[str]]:
    """Return one table of all tests on other data, and what has to be known of each; both may be empty."""
    tests = dict(_read(run))
    rows = [row for name, tested in tests.items() for row in _rows(run, name, tested)]
    said = [f"{name}: {remark}." for name, tested in tests.items() for remark in _remarks(tested)]
    if not rows:
        return [], said
    caption = "The tested model on other data, beside its own test on the classes of both. In brackets: 95 % intervals."
    return [Table(caption=caption, columns=("data", "records", "score", "its own test", "there"), rows=rows)], said


def _read(run: WholeRun) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place in run.folder.elsewhere_tests:
        try:
            tested = read_json(place.test)
        except RunFailed as error:
            yield place.name, {"metrics": {}, "said": [str(error)]}
            continue
        if is_of_its_model(tested, run.folder):
            yield place.name, tested


def _rows(run: WholeRun, name: str, tested: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    metrics, own = tested.get("metrics", {}), tested.get("own", {})
    asked = run.choice[0].metric if run.choice else None
    records = f"{metrics['records']:g}" if "records" in metrics else ""
    part = f" {tested['part']}" if tested.get("part") else ""
    for score in dict.fromkeys([*([asked] if asked in metrics else []), *with_bounds(metrics)]):
        assert score is not None
        yield name, f"{records}{part}", score, bounded(own, score) if score in own else "", bounded(metrics, score)


def _remarks(tested: Mapping[str, Any]) -> Iterator[str]:
    """Say what its test said; of sealed records, how often they were opened when it was done."""
    yield from (str(remark).rstrip(".") for remark in tested.get("said", ()))
    if tested.get("openings"):
        yield f"its sealed records were opened, {tested['openings']} times by then"
    elif tested.get("metrics"):
        yield "no sealed record is among them: such tests can be repeated, and a chosen score is too good"
