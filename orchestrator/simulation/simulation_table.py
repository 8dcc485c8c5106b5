"""What came of simulated searches, way by way and rule by rule, as numbers and as a table."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

from orchestrator.simulation.recorded_task import RecordedTask
from orchestrator.simulation.variants import Outcome, steps_of_a_search

Row = dict[str, Any]
RULE_NAMES = {"best": "best mean", "simplest": "simplest"}


def rows_of(outcomes: Sequence[Outcome], *, best: float, mode: str) -> list[Row]:
    """Return a row for each way and rule; best: the largest true value recorded (the smallest, of mode min).

    over_default, regret and worse_than_default count what is better as more, whatever the mode; against_first is the
    mean difference from the first row, over searches that drew the same fits. Each mean is followed by its standard
    error, None of a single search.
    """
    sign = 1.0 if mode == "max" else -1.0
    names = dict.fromkeys((one.way, one.rule) for one in outcomes)
    groups = {name: [one for one in outcomes if (one.way, one.rule) == name] for name in names}
    first = next(iter(groups.values()))
    rows = []
    for (way, rule), found in groups.items():
        gained = [sign * (one.value - one.default) for one in found if one.default is not None]
        apart = [] if found is first else [sign * (a.value - b.value) for a, b in zip(found, first, strict=True)]
        rows.append(
            {
                "way": way,
                "rule": rule,
                "true_value": _mean([one.value for one in found]),
                "over_default": _mean(gained) if gained else None,
                "regret": fmean(sign * (best - one.value) for one in found),
                "default_kept": fmean(one.kept_default for one in found),
                "worse_than_default": fmean(value < 0 for value in gained) if gained else None,
                "against_first": _mean(apart) if apart else None,
                "steps": fmean(one.steps for one in found),
                "trials_complete": fmean(one.trials for one in found),
            }
        )
    return rows


def as_text(rows: Sequence[Row], task: RecordedTask, *, searches: int, best: float) -> str:
    """Return the rows as a Markdown table, with what it is of above and what it does not know below."""
    curves, default = task.curves, task.default_distance()
    stands = "" if default is None else f"; trial {default[0]} stands for the default, {default[1]:.2g} away"
    lines = [
        f"{searches} searches a row, each of {steps_of_a_search(task)} steps at most, on {len(curves.trials)} recorded "
        f"trials of {len(curves.fits)} fits ({curves.left_out} unfinished ones left out){stands}",
        "",
        "| search | winner | true value | over default | regret | default kept | worse than default | against row 1 | "
        "steps | complete trials |",
        "|" + "---|" * 10,
    ]
    for row in rows:
        kept = [_share(row["default_kept"]), _share(row["worse_than_default"])]
        cost = [f"{row['steps']:.0f}", f"{row['trials_complete']:.1f}"]
        values = [_with_error(row["true_value"], ""), _with_error(row["over_default"], "+"), f"{row['regret']:.4f}"]
        cells = [row["way"], RULE_NAMES[row["rule"]], *values, *kept, _with_error(row["against_first"], "+"), *cost]
        lines.append("| " + " | ".join(cells) + " |")
    note = (
        f"true value: {task.spec.metric}, the mean over all recorded fits (± standard error over searches); the best "
        f"recorded is {best:.4f}. A search draws its fits from those, so it knows nothing of other data than these."
    )
    return "\n".join([*lines, "", note])


def _mean(values: Sequence[float]) -> tuple[float, float | None]:
    return fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def _with_error(value: tuple[float, float | None] | None, sign: str) -> str:
    if value is None:
        return ""
    mean, error = value
    return f"{mean:{sign}.4f}" + ("" if error is None else f" ± {error:.4f}")


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"
