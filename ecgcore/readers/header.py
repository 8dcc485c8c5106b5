"""The text of a WFDB header: read in any encoding, checked for what wfdb replaces silently, mended where wfdb errs.

Reads no signal, and does not import wfdb.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecgcore.mistakes import Mistake

LARGEST_HEADER = 2**20  # bytes
MOST_SAMPLES = 10**11  # of a lead: three years at 1 kHz
SUFFIX = re.compile(r"\.(mat|dat|hea)$")


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What the headers of a database are known to state wrongly, and what is right."""

    gain: float | None = None  # raw integers per mV of every lead, counted from 0; None: as the header says
    lead_names: Mapping[str, str] = field(default_factory=dict)  # as in the header -> as it should be


AS_STATED = Correction()


def header_path(path: Path) -> Path:
    """Return the header of the record at `path` (no suffix); with_suffix would cut a name with a dot in it."""
    return path.with_name(path.name + ".hea")


def header_lines(header: Path) -> list[str]:
    """Return the lines of a header that are not comments, whatever their encoding."""
    return [line for line in _lines(header) if not line.startswith("#")]


def header_comments(header: Path) -> list[str]:
    """Return the comments of a header without `#`, in order."""
    return [line.lstrip("#").strip() for line in _lines(header) if line.startswith("#")]


def stated_gains(lines: list[str]) -> set[float]:
    """Return the different gains (steps per unit) of the leads of a header; those that are no numbers are left out."""
    gains = (re.match(r"\d+\.?\d*(e[+-]?\d+)?", [*line.split(), "", "", ""][2]) for line in lines[1:])
    return {float(gain[0]) for gain in gains if gain}


def check_header(lines: list[str]) -> None:
    """Raise ValueError for what wfdb replaces silently: no rate becomes 250 Hz, no gain becomes 200 steps per mV."""
    fields = lines[0].split() if lines else []
    rate = fields[2].partition("/")[0] if len(fields) > 2 else ""
    # The number of samples may be left out by the format, but then a header that lacks the rate looks the same.
    stated = len(fields) > 3 and all(re.fullmatch("[0-9]+", number) for number in (fields[1], fields[3]))
    if not stated or not re.fullmatch(r"\d+\.?\d*", rate) or not 0 < float(rate) < math.inf:
        raise Mistake(
            "the header must begin with record name, number of leads, sampling rate in Hz (above 0) and number of "
            f"samples, but begins with {' '.join(fields)!r}"
        )
    if "/" in fields[0]:
        raise Mistake("records of several segments are not read; join the segments first")
    if len(fields[3]) > len(str(MOST_SAMPLES)) or int(fields[3]) > MOST_SAMPLES:
        raise Mistake(f"the header must state at most {MOST_SAMPLES} samples, but states {fields[3][:30]}")
    if fields[1] != str(len(lines) - 1):
        raise Mistake(
            f"the header must describe as many leads as it states, but states {fields[1][:30]} and describes "
            f"{len(lines) - 1}"
        )
    for line in lines[1:]:
        gain = re.match(r"\d*\.?\d*(e[+-]?\d+)?", [*line.split(), "", "", ""][2])
        if not gain or not gain[0] or float(gain[0]) <= 0:
            raise Mistake(f"the header must state a gain above 0 for every lead, but a line is {line!r}")


def mended(lines: list[str], correction: Correction) -> list[str]:
    """Return header lines that wfdb reads rightly.

    It raises HeaderSyntaxError for a record named `E07500.mat`, and drops a micro sign: volts instead of microvolts.
    """
    name, *rest = lines[0].split()  # at tabs, too, as wfdb does
    plain = re.sub(r"[^-\w/]", "_", SUFFIX.sub("", name))
    signals = [re.sub("[\u00b5\u03bc]", "u", line) for line in lines[1:]]
    if correction.gain is not None:
        gain = f"{correction.gain:g}(0)/mV"
        signals = [" ".join([*line.split()[:2], gain, *line.split()[3:]]) for line in signals]
    return [" ".join([plain, *rest]), *signals]


def _lines(header: Path) -> list[str]:
    if not header.is_file():
        raise Mistake(f"{header} must be a plain file, but is none")
    with header.open("rb") as file:
        raw = file.read(LARGEST_HEADER + 1)
    if len(raw) > LARGEST_HEADER:
        raise Mistake(f"{header} must have at most {LARGEST_HEADER} bytes, as headers are short")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return [line for line in (line.strip() for line in text.splitlines()) if line]
