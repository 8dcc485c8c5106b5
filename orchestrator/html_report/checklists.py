"""Reporting checklists, filled in as far as a run knows; what it does not know is visibly blank."""

from collections.abc import Mapping
from typing import Any

from orchestrator.html_report.run_words import data_source, described, how_searched, sample_size, tested_scores
from orchestrator.html_report.section import BLANK, Section, Table
from orchestrator.html_report.tripod_ai import ITEMS, SOURCE
from orchestrator.results.answer import with_bounds
from orchestrator.results.whole_run import WholeRun

EHRA = (
    "Studies in electrophysiology are asked for the EHRA AI checklist, too (29 items; Svennberg et al., Europace "
    "2025;27:euaf071). Its items are not printed here; what this page knows answers those on data, division, model, "
    "measures, and code."
)


def checklists(run: WholeRun, provenance: Mapping[str, Any]) -> Section:
    """Return TRIPOD+AI's items, with a word on that of EHRA."""
    known = {number: text for number, text in _known(run, provenance).items() if text}
    rows = [(number, label, known.get(number, BLANK)) for number, label in ITEMS]
    return Section(
        title="Reporting checklists",
        paragraphs=[
            f"TRIPOD+AI: of {len(ITEMS)} points of its 27 items, the run can say something of {len(known)}. Labels "
            f"are short; the wording that counts is in {SOURCE}. A person must judge the answers.",
            EHRA,
        ],
        tables=[Table(caption="TRIPOD+AI.", columns=("item", "about", "what the run knows"), rows=rows)],
    )


def _known(run: WholeRun, provenance: Mapping[str, Any]) -> dict[str, str | None]:
    facts, tested = described(run, provenance), run.tested or {}
    metrics, code = tested.get("metrics", {}), provenance.get("code", {})
    folds = facts.get("folds")
    division = f"{folds} folds for training and validation" if folds else None
    if division and tested:
        division += ", and a test part of its own, opened after the choice"
    size = sample_size(run, facts)
    scored = tested_scores(run)
    bounded = ", ".join(with_bounds(metrics))
    exported = run.folder.final.model.exists()
    return {
        "4": "development, and evaluation on a test part of the same source" if tested else "development",
        "5a": f"data source: {data_source(run)}",
        "7": f"processing: {facts.get('processing') or 'none'}" if "processing" in facts else None,
        "8a": f"classes: {facts['classes']}" if "classes" in facts else None,
        "9b": f"ECG leads {facts['leads']} at {facts.get('rate', '?')} Hz" if "leads" in facts else None,
        "10": f"sample size: {size}; its reason is to be said by a person" if size else None,
        "12a": division,
        "12c": how_searched(run) or None,
        "12e": f"with intervals: {bounded}; all measures are in Test" if bounded else None,
        "12g": str(tested["what"]) if tested.get("what") else None,
        "13": _imbalance(tested.get("config", {})),
        "18c": f"the resolved spec, hash {tested['spec_hash']} before the test" if tested.get("spec_hash") else None,
        "18f": f"commit {code['commit']}" if code.get("commit") else None,
        "21": size,
        "22": "exported in final/model, with its signature" if exported else None,
        "23a": f"{scored}; by class in Test, where the task reports it" if scored else None,
    }


def _imbalance(config: Mapping[str, Any]) -> str | None:
    """Return the winner's hyperparameters that are about class imbalance, by their names."""
    shown = {
        name: value for name, value in config.items() if any(word in name for word in ("loss", "sampling", "weight_by"))
    }
    return ", ".join(f"{name}: {value}" for name, value in shown.items()) or None
