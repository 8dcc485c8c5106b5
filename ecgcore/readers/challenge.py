"""WFDB records with SNOMED CT codes in their headers (`#Dx:`), as in the challenges of 2020 and 2021 -> a Source.

Reyna et al. 2021: CPSC, CPSC-Extra, Georgia, PTB, PTB-XL, Chapman-Shaoxing, Ningbo. Patients are not published: each
record counts as one. The classes are the codes themselves, until a label map makes classes of them.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.about import about
from ecgcore.readers.header import AS_STATED, Correction, header_comments, header_lines, header_path, stated_gains
from ecgcore.readers.source import Listed, Source

# Databases of the challenge whose signals are all 1000 steps per mV, by the first letters of their records. Headers of
# 2020 state 4880 (E) or 200 (HR) for some, which would make their hearts a fifth or five times as strong.
TRUE_GAIN = {"A": 1000.0, "Q": 1000.0, "E": 1000.0, "HR": 1000.0, "S": 1000.0, "JS": 1000.0}


def challenge_source(directory: Path) -> Source:
    """List every record below `directory` that has a code; those without are counted.

    A record's name is its header's path below the folder. Raises ValueError if there is no header, or none has `#Dx:`.
    """
    headers = sorted(directory.rglob("*.hea"))
    if not headers:
        raise Mistake(f"{directory} must hold WFDB records (.hea), but has none")
    records, corrected, without = [], {}, 0
    for header in headers:
        path = header.with_suffix("")
        name = path.relative_to(directory).as_posix()
        comments = header_comments(header_path(path))
        codes = dx_codes(comments)
        if not codes:
            without += 1
            continue
        correction, wrong = true_gain(path.name, stated_gains(header_lines(header)))
        if wrong:
            corrected[name] = wrong
        known = about(age=_said("age", comments), sex=_said("sex", comments), site=_site(name))
        records.append(Listed(name=name, path=path, patient=name, labels=codes, correction=correction, about=known))
    if not records:
        raise Mistake(
            f"{directory}: no header has a line `#Dx: CODE,CODE,...`; if the labels lie in a table, use --reader own"
        )
    return Source(
        reader="challenge",
        directory=directory,
        target="codes",
        classes=tuple(sorted({code for record in records for code in record.labels})),
        multilabel=True,
        records=tuple(records),
        tables=(),  # the headers are hashed with the records
        left_out={"without a code (#Dx)": without} if without else {},
        corrected=corrected,
    )


def dx_codes(comments: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of the comment `Dx: a,b,,c`, sorted, each once; empty elements are passed over."""
    codes = {code.strip() for code in _said("dx", comments).split(",")}
    return tuple(sorted(codes - {"", "Unknown", "NaN"}))


def _said(wanted: str, comments: Sequence[str]) -> str:
    """Return the value of the first comment `wanted: value`; empty where there is none."""
    for comment in comments:
        key, colon, value = comment.partition(":")
        if colon and key.strip().lower() == wanted:
            return value.strip()
    return ""


def _site(name: str) -> str:
    """Return the database of a record: the folder that it lies in, but for numbered groups (`g1`); else its letters."""
    folders = [part for part in name.split("/")[:-1] if not re.fullmatch(r"g\d+", part)]
    letters = re.match(r"[A-Za-z]*", name.rpartition("/")[2])
    return folders[-1] if folders else letters[0] if letters else ""


def true_gain(name: str, stated: set[float]) -> tuple[Correction, str]:
    """Return the correction of a record's gain, and what is wrong in words (empty: nothing)."""
    letters = re.match(r"[A-Za-z]*", name)
    right = TRUE_GAIN.get(letters[0].upper()) if letters else None
    if right is None or not stated or stated == {right}:
        return AS_STATED, ""
    states = ", ".join(f"{gain:g}" for gain in sorted(stated))
    return Correction(gain=right), f"its header states a gain of {states} per mV; the database has {right:g}"
