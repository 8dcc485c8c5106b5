"""The model card: what the run knows of its model, and, visibly blank, what only a person can say."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.html_report.answer_section import warnings_of
from orchestrator.html_report.run_words import data_source, described, sample_size, signature, tested_scores
from orchestrator.html_report.section import BLANK, Section, facts_table
from orchestrator.results.whole_run import WholeRun


def model_card(run: WholeRun, provenance: Mapping[str, Any]) -> Section:
    """Return the card; where no model was made, of what would be one."""
    facts = described(run, provenance)
    tested = run.tested or {}
    rows = [
        ("model", str(tested.get("what") or "none made yet")),
        ("intended use", BLANK),
        ("intended users", BLANK),
        ("not to be used for", BLANK),
        ("trained on", _trained_on(run, facts)),
        ("classes", str(facts.get("classes", "not known"))),
        ("input and output", _signature(run)),
        ("scores", tested_scores(run) or "not tested"),
        ("known limits", " ".join(_limits(run)) or "none known to the run"),
        ("limits that only a person knows", BLANK),
        ("risks, and who watches them", BLANK),
        ("responsible person", BLANK),
    ]
    return Section(title="Model card", tables=[facts_table("Of the tested model.", rows)])


def _trained_on(run: WholeRun, facts: Mapping[str, Any]) -> str:
    parts = [data_source(run), sample_size(run, facts)]
    parts += [f"{key}: {facts[key]}" for key in ("leads", "rate", "processing") if facts.get(key)]
    return "; ".join(part for part in parts if part)


def _signature(run: WholeRun) -> str:
    known = signature(run.folder.final)
    shown = (f"{key.replace('_', ' ')}: {known[key]}" for key in sorted(known) if key.startswith(("input", "output")))
    return "; ".join(shown) or "no model was exported"


def _limits(run: WholeRun) -> Iterator[str]:
    if run.tested is None:
        yield "Not tested."
    elif not run.folder.elsewhere_tests:
        yield "Not tested on other data than that of its own source."
    if run.choice is not None and run.choice[0].interval.low is None:
        yield "Validated with too few fits for an interval."
    yield from warnings_of(run)
