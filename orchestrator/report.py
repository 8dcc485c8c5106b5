"""What is printed at the end: the table over stages or runs, and the test scores with their intervals."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.driver_lock import is_held
from orchestrator.errors import UserError
from orchestrator.experiment import Experiment, consolidate_experiment
from orchestrator.run_folder import RunFolder
from orchestrator.running import read_ledger
from orchestrator.selection import winner_of
from orchestrator.table import note_on_openings, rows_of, table_csv, table_markdown, write_tables


def consolidate(folders: Sequence[RunFolder], *, as_json: bool) -> str:
    """Write each run's tables; return one table over all of them, as Markdown or as JSON rows."""
    runs: dict[str, list[dict[str, str]]] = {}
    modes = set()
    for folder in folders:
        experiment = Experiment.from_run(folder)
        if experiment:
            consolidate_experiment(experiment, folder)
        for found in [folder.stage(name) for name in experiment.searches] if experiment else [folder]:
            if not found.journal.exists():
                continue
            ledger = read_ledger(found)
            assert ledger.spec is not None
            write_tables(ledger, found, alive=is_held(folder))
            modes.add(ledger.spec.mode)
            name = f"{folder.name}/{found.name}" if experiment else found.name
            runs[name] = rows_of(ledger, alive=is_held(folder))
    if not modes:
        raise UserError(f"{', '.join(folder.name for folder in folders)}: no stage has begun yet, so there is no table")
    if len(modes) > 1:
        raise UserError("the runs cannot share a table: in some the best value is the largest, in others the smallest")
    if as_json:
        return json.dumps(list(csv.DictReader(io.StringIO(table_csv(runs)))))
    notes = "".join(note_on_openings(folder) for folder in folders)
    return table_markdown(runs, title=", ".join(folder.name for folder in folders), mode=modes.pop()) + notes


def experiment_report(experiment: Experiment, folder: RunFolder, tested: Mapping[str, Any]) -> str:
    """Return the stages with their winners, then the test."""
    metric = experiment.searches[experiment.candidates[0]].metric
    lines = [f"\n| stage | trials | best trial | {metric} (validation) | minutes |", "|---|---|---|---|---|"]
    for name in experiment.searches:
        ledger = read_ledger(folder.stage(name))
        won = winner_of(ledger, folder.stage(name))
        over = won.interval
        spread = "" if over.low is None else f" [{over.low:.4f}, {over.high:.4f}]"
        own = "" if won.metric == metric else f" ({won.metric})"
        score = f"{over.mean:.4f}{spread}{own}"
        lines.append(f"| {name} | {len(ledger.told())} | {won.trial} | {score} | {ledger.elapsed_s / 60:.1f} |")
    return "\n".join([*lines, "", *test_lines(tested), f"all trials {folder.table_csv}"])


def test_lines(tested: Mapping[str, Any]) -> list[str]:
    """Return the test scores, each with its interval where it has one."""
    metrics = tested["metrics"]
    lines = [
        f"test: winner of {tested['stage']} (trial {tested['trial']}), {tested['seeds']} seeds, {tested['steps']} steps"
    ]
    if tested["note"]:
        lines.append(f"  NOTE {tested['note']}")
    for name, value in metrics.items():
        if name.endswith(("_low", "_high")):
            continue
        bounds = f" [{metrics[f'{name}_low']:.4f}, {metrics[f'{name}_high']:.4f}]" if f"{name}_low" in metrics else ""
        lines.append(f"  {name:<20} {value:.4f}{bounds}" if value != int(value) else f"  {name:<20} {value:g}{bounds}")
    return lines
