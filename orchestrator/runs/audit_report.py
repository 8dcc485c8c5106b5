"""What an audit that is done says: its tables, written and as text."""

import json

from orchestrator.atomic import write_text
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import Audit, audit_of, candidates_of, experiment_of, read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.audit_table import as_json, audit_csv, audit_markdown
from orchestrator.results.outer_part import OuterPart, read_part
from orchestrator.search.importance import importance_of


def write_audit_tables(folder: RunFolder) -> None:
    """Write table.md and table.csv of an audit that is done."""
    audit, parts = _done(folder)
    tested = audit.experiment.tested
    importance = _importance_by_stage(audit, folder)
    table = audit_markdown(parts, name=folder.name, metric=tested.metric, mode=tested.mode, importance=importance)
    write_text(folder.table_md, table)
    write_text(folder.table_csv, audit_csv(parts))


def audit_report(folder: RunFolder, *, as_data: bool) -> str:
    """Return what is printed at the end of an audit; as_data: its rows as JSON."""
    audit, parts = _done(folder)
    if as_data:
        return json.dumps(as_json(parts, audit.experiment.tested.metric))
    return f"{folder.table_md.read_text()}\ntable {folder.table_csv}"


def _done(folder: RunFolder) -> tuple[Audit, list[OuterPart]]:
    audit = audit_of(folder)
    assert audit is not None
    return audit, [read_part(folder.outer(number).path) for number in range(audit.outer)]


def _importance_by_stage(audit: Audit, folder: RunFolder) -> dict[str, dict[str, float]]:
    """Return of each stage that competed what its scores depended on, over all outer parts."""
    searches: dict[str, list[Ledger]] = {}
    for part in (folder.outer(number) for number in range(audit.outer)):
        experiment = experiment_of(part)
        for stage in candidates_of(experiment, part) if experiment else ():
            searches.setdefault(stage.name, []).append(read_ledger(stage))
    return {name: importance_of(ledgers) for name, ledgers in searches.items()}
