"""An SVG file as a part of a page: without a prologue or a fixed size, with ids that no other picture has."""

import re
from pathlib import Path

_IDS = re.compile(r"""(\bid=["']|url\(#|href=["']#)""")
_PROLOGUE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'\s(?:width|height)="[^"]*"')


def inline_svg(path: Path, *, named: str, described_by: str) -> str:
    """Return the picture as markup. named: what its ids begin with; described_by: the id of its caption.

    Raises OSError where it is not there, and ValueError where it is no SVG.
    """
    text = _PROLOGUE.sub("", path.read_text(encoding="utf-8")).strip()
    if not text.startswith("<svg"):
        raise ValueError(f"{path}: must be an SVG picture, begins with {text[:20]!r}")
    head, rest = text[: text.index(">")], text[text.index(">") :]
    head = _SIZE.sub("", head).replace("<svg", f'<svg role="img" aria-labelledby="{described_by}"', 1)
    return _IDS.sub(rf"\g<1>{named}-", head + rest)
