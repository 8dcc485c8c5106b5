"""What is printed at the end: the table over stages or runs, and the test scores with their intervals."""

from collections.abc import Mapping
from typing import Any

from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.selection import winner_of
from orchestrator.specs.experiment import Experiment


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
