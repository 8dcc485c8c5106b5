"""Numbers as a report writes them."""

import math
from collections.abc import Sequence

Interval = tuple[float, float]
UNDEFINED = "undefined"


def score_text(value: float, interval: Interval | None = None) -> str:
    """Return `.848 [.808, .881]`; a word for what is undefined."""
    if not math.isfinite(value):
        return UNDEFINED
    if interval is None or not all(map(math.isfinite, interval)):
        return _digits(value)
    return f"{_digits(value)} [{_digits(interval[0])}, {_digits(interval[1])}]"


def share_text(count: float, whole: float) -> str:
    """Return `19 (16 %)`; nothing in brackets where there is nothing to be a share of."""
    return f"{count:,.0f} ({100 * count / whole:.0f} %)" if whole else f"{count:,.0f}"


def listed(texts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def records_text(count: int) -> str:
    """Return `1 record`, `2 records`."""
    return f"{count:,} record{'' if count == 1 else 's'}"


def _digits(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 0.9995 else f"{value:.3f}"
