"""What an audit says: outer scores by row, each beside the untuned default, with intervals that know of shared records.

The parts share train records, so a mean over them varies more than one over independent parts would; its interval is
that of the corrected resampled t-test, as in search/comparison.py.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

from orchestrator.results.outer_part import DEFAULT, WINNER, OuterPart
from orchestrator.search.intervals import FEWEST_FITS, CorrectedMean, bounds_of, corrected_mean

SMALLEST_SHARE = 0.05  # of a hyperparameter's importance that is worth a word
BESIDE = ("log_loss", "brier", "calibration_error")  # shown where a task reports them: smaller is better


def part_ratio(parts: int) -> float:
    """Return test over train records of an outer part: one of n up to five parts, else a fifth of all records."""
    return 1 / (min(max(parts, 2), 5) - 1)


def audit_rows(parts: Sequence[OuterPart], metric: str) -> list[dict[str, object]]:
    """Return a row for each model that was tested: its scores over the outer parts, and against the default's."""
    ratio = part_ratio(len(parts))
    names = dict.fromkeys(name for part in parts for name in part.rows)
    rows: list[dict[str, object]] = []
    for name in names:
        scores = {part.number: part.rows[name][metric] for part in parts if metric in part.rows.get(name, {})}
        beside = {part.number: part.rows[DEFAULT][metric] for part in parts if metric in part.rows.get(DEFAULT, {})}
        shared = sorted(scores.keys() & beside.keys())
        row: dict[str, object] = {"row": name, "parts": len(scores)}
        values = list(scores.values())
        bounds = bounds_of(metric, values)
        row["score"] = corrected_mean(values, test_over_train=ratio, bounds=bounds) if scores else None
        differences = [scores[number] - beside[number] for number in shared]
        row["minus_default"] = (
            corrected_mean(differences, test_over_train=ratio) if shared and name != DEFAULT else None
        )
        for other in BESIDE:
            values = [part.rows[name][other] for part in parts if other in part.rows.get(name, {})]
            row[other] = fmean(values) if values else None
        rows.append(row)
    return rows


def audit_markdown(
    parts: Sequence[OuterPart],
    *,
    name: str,
    metric: str,
    mode: str,
    importance: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> str:
    """Return the table, and what it says of the searches, as Markdown. importance: by stage, see importance.py."""
    rows = audit_rows(parts, metric)
    shown = [key for key in BESIDE if any(row[key] is not None for row in rows)]
    lines = [
        f"# {name}: {metric} over {len(parts)} outer parts, {_intervals(len(parts))}",
        "",
        f"| model | {metric} | minus {DEFAULT} | " + " | ".join(shown) + (" |" if shown else ""),
        "|" + "---|" * (3 + len(shown)),
    ]
    for row in rows:
        numbers = [f"{row[key]:.4f}" if isinstance(row[key], float) else "" for key in shown]
        lines.append(
            "| "
            + " | ".join([str(row["row"]), *(_text(row[key]) for key in ("score", "minus_default")), *numbers])
            + " |"
        )
    mattered = [_mattered(stage, shares) for stage, shares in importance.items() if shares]
    return "\n".join([*lines, "", *findings(parts, metric, mode), *mattered]) + "\n"


def _intervals(parts: int) -> str:
    few = f"no intervals: fewer than {FEWEST_FITS} are too few"
    return few if parts < FEWEST_FITS else "95 % intervals (corrected t; the parts vary)"


def audit_csv(parts: Sequence[OuterPart]) -> str:
    """Return every score of every model on every outer part as CSV."""
    text = io.StringIO()
    names = dict.fromkeys(key for part in parts for metrics in part.rows.values() for key in metrics)
    writer = csv.DictWriter(text, ["outer", "row", *names], restval="", lineterminator="\n")
    writer.writeheader()
    for part in parts:
        writer.writerows({"outer": part.number, "row": name, **metrics} for name, metrics in part.rows.items())
    return text.getvalue()


def findings(parts: Sequence[OuterPart], metric: str, mode: str) -> list[str]:
    """Say what the search promised and what it kept."""
    ratio, sign = part_ratio(len(parts)), 1.0 if mode == "max" else -1.0
    outer = [part.rows[WINNER][metric] for part in parts]
    promised = [sign * (part.validation - score) for part, score in zip(parts, outer, strict=True)]
    best = [sign * (part.best_validation - score) for part, score in zip(parts, outer, strict=True)]
    kept = sum(part.kept_default for part in parts)
    lines = [
        f"optimism: in its own search the winner scored {corrected_mean(promised, test_over_train=ratio)} better than "
        f"on the outer part, the best mean {corrected_mean(best, test_over_train=ratio)}",
        f"the untuned default was kept in {kept} of {len(parts)} searches",
    ]
    both = [part for part in parts if DEFAULT in part.rows]
    if both:
        bought = corrected_mean(
            [sign * (part.rows[WINNER][metric] - part.rows[DEFAULT][metric]) for part in both], test_over_train=ratio
        )
        verdict = (
            "no difference that these parts can tell"
            if bought.low is None or bought.high is None or bought.low <= 0 <= bought.high
            else "better"
            if bought.low > 0
            else "WORSE than not searching"
        )
        lines.append(f"what searching bought: {bought}: {verdict}")
    return lines


def _mattered(stage: str, shares: Mapping[str, float]) -> str:
    shown = [f"{name} {share:.0%}" for name, share in shares.items() if share >= SMALLEST_SHARE]
    return f"what the validation scores of {stage} depended on (fANOVA, shares of what it explains): {', '.join(shown)}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def as_json(parts: Sequence[OuterPart], metric: str) -> list[dict[str, object]]:
    """Return the rows as plain data."""

    def plain(value: object) -> object:
        return {"mean": value.mean, "low": value.low, "high": value.high} if isinstance(value, CorrectedMean) else value

    return [{key: plain(value) for key, value in row.items()} for row in audit_rows(parts, metric)]
