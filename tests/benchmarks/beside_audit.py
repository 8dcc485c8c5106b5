"""Scores on the outer parts of a finished audit, beside those of the models that it tested."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.results.audit_table import part_ratio
from orchestrator.results.outer_part import read_part
from orchestrator.search.intervals import corrected_mean


def beside(audit: Path, scores: Sequence[Mapping[str, float]], *, what: str) -> str:
    """Return a line for each model and each score: its mean, and the paired difference of model minus `what`.

    scores: of each outer part. The intervals are those of the audit's own table: 95 %, corrected t.
    """
    parts = [read_part(audit / f"outer-{number}") for number in range(len(scores))]
    ratio = part_ratio(len(parts))
    lines = []
    for metric in scores[0]:
        for row in dict.fromkeys(name for part in parts for name in part.rows):
            values = [part.rows[row][metric] for part in parts]
            mean = sum(values) / len(values)
            paired = [value - own[metric] for value, own in zip(values, scores, strict=True)]
            difference = corrected_mean(paired, test_over_train=ratio)
            lines.append(f"{metric}: {row} {mean:.4f}, minus {what} {difference}")
    return "\n".join(lines)
