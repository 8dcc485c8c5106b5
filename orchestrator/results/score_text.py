"""Numbers as people read them: scores of three digits, without the zero that says nothing; intervals in brackets."""

import math

from orchestrator.task import Scalar


def score(value: float, *, signed: bool = False) -> str:
    """Return `.847`, `1.000`, `-.040` or, signed, `+.093`; large numbers keep four digits."""
    if not math.isfinite(value):
        return str(value)
    text = f"{abs(value):.3f}" if abs(value) < 100 else f"{abs(value):.4g}"
    sign = "-" if value < 0 and float(text) else "+" if signed else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def with_interval(value: float, low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Return `.847 [.808, .881]`, or the score alone where it has no interval."""
    bounds = "" if low is None or high is None else f" [{score(low, signed=signed)}, {score(high, signed=signed)}]"
    return score(value, signed=signed) + bounds


def duration(seconds: float) -> str:
    """Return `48 s`, `12 min` or `3.4 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def value_text(value: Scalar) -> str:
    """Return a hyperparameter's value in four digits; None: it is not used."""
    if value is None:
        return "not used"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
