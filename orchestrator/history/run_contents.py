"""What a run consists of: its spec, its searches and finals, and where their journals lie. The one place that knows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.atomic import read_json
from orchestrator.errors import UserError
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import SearchBegun
from orchestrator.history.run_folder import ELSEWHERE, JOURNAL, RunFolder
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import SearchSpec, by_rules_of


def read_ledger(folder: RunFolder) -> Ledger:
    """Read what the journal of a search adds up to. Raises UserError where there is none."""
    ledger = Ledger(read_journal(folder.journal))
    if ledger.spec is None:
        raise UserError(
            f"{folder.path}: holds no search (no journal.jsonl with a spec); `orchestrate status` lists the runs"
        )
    return ledger


def search_of(folder: RunFolder) -> SearchSpec:
    """Return the spec of the search that a run's journal holds."""
    spec = read_ledger(folder).spec
    assert spec is not None
    return spec


def experiment_of(folder: RunFolder) -> Experiment | None:
    """Return the experiment that a run's journal holds, as it was last given; None where the run is a search."""
    entries = read_journal(folder.journal)
    data = entries[0][0].spec if entries and isinstance(entries[0][0], SearchBegun) else {}
    if "stages" not in data:
        return None
    return Experiment.from_data([record.spec for record, _at in entries if isinstance(record, SearchBegun)][-1])


@dataclass(frozen=True, kw_only=True)
class Audit:
    """An experiment that is repeated without each of several outer parts."""

    experiment: Experiment
    outer: int  # how many parts

    def as_data(self) -> dict[str, Any]:
        """Return the content of audit.json."""
        return {"outer": self.outer, "experiment": self.experiment.as_data()}


def audit_of(folder: RunFolder) -> Audit | None:
    """Return the audit that a run is; None where it is a search or an experiment."""
    if not folder.audit.exists():
        return None
    begun = read_json(folder.audit)
    return Audit(experiment=Experiment.from_data(begun["experiment"]), outer=begun["outer"])


def specs_of(folder: RunFolder) -> list[SearchSpec]:
    """Return the searches that a run, or each part of an audit, consists of."""
    audit = audit_of(folder)
    experiment = audit.experiment if audit else experiment_of(folder)
    return list(experiment.searches.values()) if experiment else [search_of(folder)]


def as_begun(folder: RunFolder, spec: SearchSpec) -> SearchSpec:
    """Return the spec by the rules with which an earlier version began the search, where one did."""
    begun = read_journal(folder.journal)
    return by_rules_of(begun[0][0].spec, spec) if begun and isinstance(begun[0][0], SearchBegun) else spec


def searches_of(folder: RunFolder) -> list[RunFolder]:
    """Return the searches of a run: its stages in order, begun or not, and what competes with them; or itself."""
    experiment = experiment_of(folder)
    if experiment is None:
        return [folder]
    return [*(folder.stage(name) for name in experiment.searches), *_companions(experiment, folder)]


def candidates_of(experiment: Experiment, folder: RunFolder) -> list[RunFolder]:
    """Return what competes for the final: stages, and those of their winners that were searched from scratch, too."""
    return [*(folder.stage(name) for name in experiment.candidates), *_companions(experiment, folder)]


def _companions(experiment: Experiment, folder: RunFolder) -> list[RunFolder]:
    return [folder.stage(name) for name in experiment.companions if read_journal(folder.stage(name).journal)]


def parts_of(folder: RunFolder) -> list[RunFolder]:
    """Return what of a run has begun: its searches in order, then its final; of an audit, those of its last part."""
    if audit := audit_of(folder):
        begun = [part for part in map(folder.outer, range(audit.outer)) if part.journal.exists()]
        return parts_of(begun[-1]) if begun else []
    return [part for part in [*searches_of(folder), folder.final] if part.journal.exists()]


def all_runs(root: Path) -> list[RunFolder]:
    """Return every run below a folder of runs, the newest last."""
    found = [RunFolder(path) for path in root.glob("*") if RunFolder(path).exists]
    return sorted(found, key=_touched)


def _touched(folder: RunFolder) -> float:
    files = (folder.journal, folder.submission, folder.audit)
    return next(path.stat().st_mtime for path in files if path.exists())


def all_searches(root: Path) -> Iterator[RunFolder]:
    """Yield every search below a folder of runs: those of their own, the stages of experiments, and finals."""
    for depth in ("*", "*/*"):
        yield from (RunFolder(path.parent) for path in sorted(root.glob(f"{depth}/{JOURNAL}")))


def all_finals(root: Path) -> Iterator[RunFolder]:
    """Yield all that may open a test part, below a folder of runs.

    Finals, those that were set aside and of parts of audits included, and tests of their models on other data.
    """
    for place in ("*/final*", "*/*/final*", f"*/{ELSEWHERE}/*"):
        yield from (RunFolder(path.parent) for path in sorted(root.glob(f"{place}/{JOURNAL}")))
