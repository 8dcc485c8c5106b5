"""One WFDB record on disk -> one checked `Recording`, and back. The only file that imports wfdb.

Reads `.hea` with `.dat` or MATLAB v4 `.mat`. Knows nothing of tables of labels, folds or stores, and corrects no gain.
"""

import math
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.signals import canonical_lead, in_millivolts, lead_order

with warnings.catch_warnings():
    # wfdb 4.3 calls pandas in a way that pandas 3.1 announces to drop; nothing that we use depends on it.
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb

# What wfdb raises for a broken file is whatever its parsing ran into first.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OSError, ArithmeticError, RuntimeError)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One record as read: everything about it that a store needs."""

    name: str
    patient: str
    labels: tuple[str, ...]
    signal: NDArray[np.float32]  # (leads, samples) in mV
    rate: float  # Hz
    leads: tuple[str, ...]  # canonical names, in the order of the rows


def read_record(
    path: Path, *, name: str, patient: str, labels: Sequence[str], leads: Sequence[str] | None = None
) -> Recording:
    """Read the record at `path` (no suffix), its rows in the order of `leads` (None: all leads, as they come).

    Raises ValueError `<name>: <reason>` if the record cannot be read or breaks a rule: its rate and gain stated, units
    mV, uV or V, every lead there, at least one sample, no invalid sample, not flat in every lead.
    """
    try:
        record = _read(path)
        present = [canonical_lead(lead) for lead in record.sig_name]
        rows = lead_order(present, present if leads is None else leads)
        signal = in_millivolts(record.p_signal.T[rows], [record.units[row] for row in rows])
        _check_samples(signal, [present[row] for row in rows])
    except _UNREADABLE as error:
        raise ValueError(f"{name}: {error}") from error
    return Recording(
        name=name,
        patient=patient,
        labels=tuple(labels),
        signal=signal,
        rate=float(record.fs),
        leads=tuple(present[row] for row in rows),
    )


def record_files(path: Path) -> list[Path]:
    """Return the files of the record at `path` (no suffix) that exist: its header and the signal files it names."""
    header = _header_path(path)
    if not header.is_file():
        return []
    named = {line.split()[0] for line in _header_lines(header)[1:]}
    return [header, *(header.parent / name for name in sorted(named) if (header.parent / name).is_file())]


def write_record(directory: Path, recording: Recording, *, gain: int = 1000) -> None:
    """Write `<directory>/<name>.hea` and `.dat`: format 16, `gain` steps per mV, values beyond the range cut off.

    Written by hand: wfdb.wrsamp looks up every field in a pandas table, 40 ms a record against less than one.
    """
    # -32768 is left out: in format 16 it marks a missing sample.
    digital = np.clip(np.rint(recording.signal.astype(np.float64) * gain), -32767, 32767).astype("<i2")
    name, (leads, samples) = recording.name, digital.shape
    checksums = digital.sum(axis=1, dtype=np.int64).astype("<i2")  # the sum, cut to 16 bits
    lines = [f"{name} {leads} {recording.rate:g} {samples}"]
    for lead, row, checksum in zip(recording.leads, digital, checksums, strict=True):
        lines.append(f"{name}.dat 16 {gain}(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    (directory / f"{name}.dat").write_bytes(np.ascontiguousarray(digital.T).tobytes())
    _header_path(directory / name).write_text("\n".join(lines) + "\n", encoding="ascii")


def _header_path(path: Path) -> Path:
    return path.with_name(path.name + ".hea")  # with_suffix would cut a name with a dot in it


def _header_lines(header: Path) -> list[str]:
    """Return the lines of a header that are not comments, whatever their encoding."""
    raw = header.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _read(path: Path) -> Any:
    """Return the wfdb record at `path`, through a mended copy of its header where wfdb would refuse or misread it."""
    header = _header_path(path)
    if not header.is_file():
        raise FileNotFoundError(f"there is no header {header}")
    lines = _header_lines(header)
    _check_header(lines)
    _check_signal_files(header.parent, lines[1:])
    mended = _mended(lines)
    if mended == lines:
        return _rdrecord(path)
    with tempfile.TemporaryDirectory(prefix="header-") as folder:
        Path(folder, "mended.hea").write_text("\n".join(mended) + "\n", encoding="ascii", errors="ignore")
        for file in record_files(path)[1:]:
            Path(folder, file.name).symlink_to(file.resolve())
        return _rdrecord(Path(folder, "mended"))


def _rdrecord(path: Path) -> Any:
    try:
        return wfdb.rdrecord(str(path))
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"the signal is not as long, or not in the form, that the header states; is a file torn? (wfdb: {reason})"
        ) from error


def _mended(lines: list[str]) -> list[str]:
    """Return header lines that wfdb reads rightly.

    It raises HeaderSyntaxError for a record named `E07500.mat`, and drops a micro sign: volts instead of microvolts.
    """
    name, _, rest = lines[0].partition(" ")
    plain = re.sub(r"[^-\w/]", "_", re.sub(r"\.(mat|dat|hea)$", "", name))
    return [f"{plain} {rest}", *(re.sub("[\u00b5\u03bc]", "u", line) for line in lines[1:])]


def _check_header(lines: list[str]) -> None:
    """Raise ValueError for what wfdb replaces silently: no rate becomes 250 Hz, no gain becomes 200 steps per mV."""
    fields = lines[0].split() if lines else []
    rate = fields[2].partition("/")[0] if len(fields) > 2 else ""
    # The number of samples may be left out by the format, but then a header that lacks the rate looks the same.
    stated = len(fields) > 3 and fields[1].isdecimal() and fields[3].isdecimal()
    if not stated or not re.fullmatch(r"\d+\.?\d*", rate) or not 0 < float(rate) < math.inf:
        raise ValueError(
            "the header must begin with record name, number of leads, sampling rate in Hz (above 0) and number of "
            f"samples, but begins with {' '.join(fields)!r}"
        )
    if "/" in fields[0]:
        raise ValueError("records of several segments are not read; join the segments first")
    for line in lines[1:]:
        gain = re.match(r"\d*\.?\d*(e[+-]?\d+)?", [*line.split(), "", "", ""][2])
        if not gain or not gain[0] or float(gain[0]) <= 0:
            raise ValueError(f"the header must state a gain above 0 for every lead, but a line is {line!r}")


def _check_signal_files(directory: Path, lines: list[str]) -> None:
    """Raise ValueError for a signal file that is missing, or MATLAB of a version whose bytes would pass for signal."""
    for name in sorted({line.split()[0] for line in lines}):
        file = directory / name
        if not file.is_file():
            raise FileNotFoundError(f"the header names {name}, which is not there")
        with file.open("rb") as opened:
            if opened.read(6) == b"MATLAB":
                raise ValueError(f"{name} is MATLAB version 5 or later; WFDB signals are version 4 (save with -v4)")


def _check_samples(signal: NDArray[np.float32], leads: list[str]) -> None:
    if signal.size == 0:
        raise ValueError("there are no samples")
    invalid = [lead for lead, row in zip(leads, signal, strict=True) if not np.isfinite(row).all()]
    if invalid:
        raise ValueError(f"invalid samples (marked as missing, or not a number) in {', '.join(invalid)}")
    if not np.ptp(signal, axis=1).any():
        raise ValueError("every lead is flat: there is no signal in it")
