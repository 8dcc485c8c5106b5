"""What tables say of whose records they are, in one form for all databases: age, sex, site, device; for subgroups only.

Nothing of it is seen by a model, or decides who is in which part.
"""

import math

KNOWN = ("age", "sex", "site", "device")
_SEX = {"m": "male", "male": "male", "f": "female", "female": "female"}
OLDEST, IMPOSSIBLE = "90", 120.0  # years: databases hide the age of the oldest, and write >89, or 300, for it


def about(
    *, age: str | None = "", sex: str | None = "", site: str | None = "", device: str | None = ""
) -> dict[str, str]:
    """Return what is known, by its name in KNOWN; what a table leaves empty, or says is unknown, is left out."""
    said = {"age": years(age) or "", "sex": sex or "", "site": site or "", "device": device or ""}
    words = {name: " ".join(value.split()) for name, value in said.items()}
    words["sex"] = _SEX.get(words["sex"].lower(), words["sex"])
    return {name: value for name, value in words.items() if value and value.lower() not in ("unknown", "nan")}


def years(text: str | None) -> str | None:
    """Return an age as a number of years, `56` for `56.0`; 90 for >89 and 300; empty if unknown, None if it is none."""
    written = (text or "").strip().removeprefix(">")
    if written.lower() in ("", "nan", "unknown"):
        return ""
    try:
        number = float(written)
    except ValueError:
        return None
    if not 0 <= number < math.inf:
        return None
    return OLDEST if number > IMPOSSIBLE or (text or "").strip().startswith(">") else f"{number:g}"
