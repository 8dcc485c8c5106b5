"""What a run knows of its data and its model, in the words that model card and checklists share."""

from collections.abc import Mapping
from typing import Any

from orchestrator.atomic import read_json
from orchestrator.errors import RunFailed
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.answer import scores_text
from orchestrator.results.whole_run import WholeRun, data_name
from orchestrator.specs.specs import SearchSpec


def described(run: WholeRun, provenance: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the task's facts of the data of the winner's stage, or of any; empty where none were written down."""
    stages = {name: facts for name, facts in provenance.get("data", {}).items() if isinstance(facts, Mapping)}
    stage = run.choice[0].search if run.choice else None
    return stages.get(stage or "") or next(iter(stages.values()), {})


def data_source(run: WholeRun) -> str:
    """Return where the records are from, as the search spaces name it."""
    specs = [ledger.spec for ledger, _ in run.searches if ledger.spec is not None]
    return ", ".join(dict.fromkeys(data_name(spec.task) for spec in specs)) or "not known"


def sample_size(run: WholeRun, facts: Mapping[str, Any]) -> str | None:
    """Return how many records were searched on and tested on; None where neither is known."""
    parts = []
    if "records" in facts:
        of = f" of {facts['patients']} patients" if "patients" in facts else ""
        parts.append(f"{facts['records']} records{of} for training and validation")
    metrics = (run.tested or {}).get("metrics", {})
    if "records" in metrics:
        parts.append(f"{metrics['records']:g} records for the test")
    return "; ".join(parts) or None


def how_searched(run: WholeRun) -> str:
    """Return how hyperparameters were tuned and how trials were compared."""
    return "; ".join(_search(folder.name, ledger.spec) for ledger, folder in run.searches if ledger.spec is not None)


def _search(name: str, spec: SearchSpec) -> str:
    stopped = ", stopped early by rule" if spec.prune or spec.race else ""
    return f"{name}: {spec.sampler}, {spec.total} trials{stopped}, by {spec.metric} in validation ({spec.mode})"


def tested_scores(run: WholeRun) -> str | None:
    """Return the test's score by the metric of the search; None where nothing was tested."""
    if run.tested is None:
        return None
    metric = run.choice[0].metric if run.choice else ""
    return f"test {scores_text(run.tested['metrics'], metric, varies=run.tested.get('varies'))}"


def signature(final: RunFolder) -> Mapping[str, Any]:
    """Return what the exported model takes and gives; empty where there is none."""
    path = final.model / "signature.json"
    try:
        found: Mapping[str, Any] = read_json(path) if path.exists() else {}
    except RunFailed:
        return {}
    return found
